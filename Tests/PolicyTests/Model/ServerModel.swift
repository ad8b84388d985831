import Foundation

/// A second reading of requests, slow and plain, over arrays of strings: what kube-apiserver 1.36 was measured to make of a
/// target. It shares no code with the gateway's, so that a mistake in one shows against the other.
struct ServerModel {
  var method: String
  /// The decoded path's segments, slashes at both ends taken away.
  var segments: [String]
  var query: [(name: String, value: String)]

  var isResource = false
  var verb = ""
  var group = ""
  var version = ""
  var namespace = ""
  var resource = ""
  var name = ""
  var subresource = ""
  /// Whether the connection goes on in another protocol.
  var upgrades = false

  /// `nil` for a target whose path has a broken escape.
  init?(_ method: String, _ target: String) {
    self.method = method
    var rest = target
    if !rest.hasPrefix("/"), let scheme = rest.range(of: "://") {
      // An absolute form: the host is ignored.
      rest = String(rest[scheme.upperBound...])
      rest = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }
    let halves = rest.components(separatedBy: "?")
    guard let path = halves[0].removingPercentEncoding else { return nil }
    self.segments = Self.trimmed(path.components(separatedBy: "/"))
    self.query = Self.pairs(halves.dropFirst().joined(separator: "?"))
    self.readObject()
  }

  private static func trimmed(_ segments: [String]) -> [String] {
    var segments = segments
    while segments.first == "" { segments.removeFirst() }
    while segments.last == "" { segments.removeLast() }
    return segments
  }

  private static func pairs(_ query: String) -> [(name: String, value: String)] {
    query.components(separatedBy: "&").compactMap { pair in
      if pair.isEmpty || pair.contains(";") { return nil }
      let parts = pair.replacingOccurrences(of: "+", with: " ").components(separatedBy: "=")
      guard let name = parts[0].removingPercentEncoding,
        let value = parts.dropFirst().joined(separator: "=").removingPercentEncoding
      else { return nil }
      return (name, value)
    }
  }

  private mutating func readObject() {
    var rest = self.segments
    self.verb = self.method.lowercased()
    guard rest.count >= 3, rest[0] == "api" || rest.count >= 4 && rest[0] == "apis" else { return }
    self.isResource = true
    if rest.removeFirst() == "apis" { self.group = rest.removeFirst() }
    self.version = rest.removeFirst()
    let verbs = ["GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"]
    self.verb = verbs[self.method] ?? ""
    if rest.count > 1, rest[0] == "watch" || rest[0] == "proxy" {
      self.verb = rest.removeFirst()
    } else if rest.count == 1,
      rest[0] == "watch" || rest[0] == "proxy"
    {
      // The server answers 500; the gateway takes it for a resource without a name.
      self.verb = self.method.lowercased()
      self.isResource = true
      return
    }
    if rest[0] == "namespaces", rest.count >= 2 {
      self.namespace = rest[1]
      if rest.count >= 3, rest[2] != "status", rest[2] != "finalize" { rest.removeFirst(2) }
    }
    self.resource = rest[0]
    if rest.count >= 2 { self.name = rest[1] }
    if rest.count >= 3, self.verb != "proxy" { self.subresource = rest[2] }
    guard self.name.isEmpty else { return }
    if self.verb == "get" {
      let watch = self.query.first { $0.name == "watch" }?.value
      self.verb = watch == nil || watch == "0" || watch?.lowercased() == "false" ? "list" : "watch"
      if let selector = self.query.first(where: { $0.name == "fieldSelector" })?.value {
        self.name = Self.name(in: selector) ?? ""
      }
    } else if self.verb == "delete" {
      self.verb = "deletecollection"
    }
  }

  /// The name that a field selector asks for, by pkg/fields of k8s.io/apimachinery.
  ///
  /// Terms are joined by commas, and one that is none spoils them all: `FIELD=VALUE`, `FIELD==VALUE` or `FIELD!=VALUE`, where a
  /// value has its commas, equals signs and backslashes behind a backslash, and no other backslash.
  private static func name(in selector: String) -> String? {
    let escapes = [(#"\\"#, "\u{E000}", "\\"), (#"\,"#, "\u{E001}", ","), (#"\="#, "\u{E002}", "=")]
    let escaped = escapes.reduce(selector) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
    var names: [String] = []
    for term in escaped.components(separatedBy: ",").sorted() where !term.isEmpty {
      let parts = term.components(separatedBy: "=")
      let isDoubled = parts.count == 3 && parts[1].isEmpty && !parts[0].hasSuffix("!")
      guard parts.count == 2 || isDoubled, let value = parts.last, !value.contains("\\") else { return nil }
      if parts[0] == "metadata.name" {
        names.append(escapes.reduce(value) { $0.replacingOccurrences(of: $1.1, with: $1.2) })
      }
    }
    // What could not stand in a path is no name.
    return names.first.flatMap { [".", ".."].contains($0) || $0.contains("/") || $0.contains("%") ? nil : $0 }
  }
}
