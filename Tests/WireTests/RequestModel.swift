/// A second reading of request targets, slow and plain: Go's `net/url` and kube-apiserver's `RequestInfo`, rule by rule
/// over arrays of bytes. It shares no code with the first, so that a mistake in one shows against the other.
enum RequestModel {
  typealias Bytes = [UInt8]

  struct URL: Equatable {
    var scheme: Bytes = []
    var path: Bytes
    var query: Bytes?
  }

  // MARK: - net/url

  /// `url.ParseRequestURI`; `nil` for its errors. Opaque URLs (`mailto:x`) have no path and are `nil` here too, and the
  /// authority is only cut off: which bytes it may hold is judged elsewhere.
  static func parse(_ raw: Bytes) -> URL? {
    if raw.isEmpty || raw.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return nil }
    guard let (scheme, afterScheme) = self.scheme(raw) else { return nil }
    var (rest, query) = self.cut(afterScheme, at: "?")
    guard rest.first == Self.slash else { return nil }
    if !scheme.isEmpty && rest.starts(with: Array("//".utf8)) {
      rest.removeFirst(2)
      rest = rest.firstIndex(of: Self.slash).map { Array(rest[$0...]) } ?? []
    }
    guard let path = self.unescape(rest, plusIsBlank: false) else { return nil }
    return URL(scheme: scheme, path: path.isEmpty ? [Self.slash] : path, query: query)
  }

  private static let slash = UInt8(ascii: "/")

  private static func scheme(_ raw: Bytes) -> (scheme: Bytes, rest: Bytes)? {
    for (index, byte) in raw.enumerated() {
      switch Character(UnicodeScalar(byte)) {
      case "a"..."z", "A"..."Z": continue
      case "0"..."9", "+", "-", ".": if index == 0 { return ([], raw) }
      case ":": return index == 0 ? nil : (Array(raw[..<index]), Array(raw[(index + 1)...]))
      default: return ([], raw)
      }
    }
    return ([], raw)
  }

  private static func cut(_ bytes: Bytes, at separator: Character) -> (Bytes, Bytes?) {
    guard let index = bytes.firstIndex(of: separator.asciiValue!) else { return (bytes, nil) }
    return (Array(bytes[..<index]), Array(bytes[(index + 1)...]))
  }

  static func unescape(_ bytes: Bytes, plusIsBlank: Bool) -> Bytes? {
    var result: Bytes = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%") {
        let digits = bytes[(index + 1)...].prefix(2)
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.count == 2, text.allSatisfy(\.isHexDigit), text.utf8.count == 2, let value = UInt8(text, radix: 16) else { return nil }
        result.append(value)
        index += 3
      } else {
        result.append(plusIsBlank && bytes[index] == UInt8(ascii: "+") ? 0x20 : bytes[index])
        index += 1
      }
    }
    return result
  }

  /// `url.Values`, in the order of the pairs.
  static func pairs(_ query: Bytes) -> [(key: Bytes, value: Bytes)] {
    query.split(separator: UInt8(ascii: "&")).compactMap { pair in
      if pair.contains(UInt8(ascii: ";")) { return nil }
      let (key, value) = self.cut(Array(pair), at: "=")
      guard let key = self.unescape(key, plusIsBlank: true), let value = self.unescape(value ?? [], plusIsBlank: true) else { return nil }
      return (key, value)
    }
  }

  // MARK: - RequestInfo

  static func info(_ method: String, _ url: URL) -> [String: String] {
    var trimmed = url.path
    while trimmed.first == self.slash { trimmed.removeFirst() }
    while trimmed.last == self.slash { trimmed.removeLast() }
    var parts = trimmed.isEmpty ? [] : trimmed.split(separator: self.slash, omittingEmptySubsequences: false).map(Array.init)
    var info: [String: String] = ["verb": method.lowercased()]
    func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }
    func isIn(_ bytes: Bytes, _ names: String...) -> Bool { names.contains { Array($0.utf8) == bytes } }

    guard parts.count >= 3, isIn(parts[0], "api", "apis") else { return info }
    if isIn(parts.removeFirst(), "apis") {
      guard parts.count >= 3 else { return info }
      info["apiGroup"] = text(parts.removeFirst())
    }
    info["apiVersion"] = text(parts.removeFirst())
    if isIn(parts[0], "watch", "proxy") {
      guard parts.count >= 2 else { return info }
      info["verb"] = text(parts.removeFirst())
    } else {
      let verbs = ["POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"]
      info["verb"] = verbs[method] ?? ""
      info["byMethod"] = "yes"
    }
    if isIn(parts[0], "namespaces"), parts.count >= 2 {
      info["namespace"] = text(parts[1])
      if parts.count >= 3, !isIn(parts[2], "status", "finalize") { parts.removeFirst(2) }
    }
    info["resource"] = text(parts[0])
    if parts.count >= 2 { info["name"] = text(parts[1]) }
    if parts.count >= 3, info["verb"] != "proxy" { info["subresource"] = text(parts[2]) }
    guard (info["name"] ?? "").isEmpty else { return info }
    if info["verb"] == "get" {
      let query = self.pairs(url.query ?? [])
      func first(_ key: String) -> Bytes? { query.first { $0.key == Array(key.utf8) }?.value }
      let watch = first("watch").map(text)
      info["verb"] = watch == nil || watch == "0" || watch?.lowercased() == "false" ? "list" : "watch"
      if let selector = first("fieldSelector"), let name = self.requiredName(text(selector)) { info["name"] = name }
    } else if info["verb"] == "delete" {
      info["verb"] = "deletecollection"
    }
    return info
  }

  /// Only selectors without escapes, which is what the generator makes; the rest is in `RequestInfoTests`.
  private static func requiredName(_ selector: String) -> String? {
    for term in selector.split(separator: ",").map(String.init).sorted() {
      guard let equals = term.firstIndex(of: "=") else { return nil }
      guard term[..<equals] == "metadata.name" else { continue }
      let name = String(term[term.index(after: equals)...])
      return name.contains { "=/%".contains($0) } || name == "." || name == ".." ? nil : name
    }
    return nil
  }

  // MARK: - Other readers

  /// The path as a server reads it that decodes and then cleans (nginx, Envoy with normalisation): dot segments climb,
  /// slashes merge, a backslash is a slash, the path ends at NUL.
  static func cleaned(_ path: Bytes) -> Bytes {
    let upToNUL = path.prefix { $0 != 0 }.map { $0 == UInt8(ascii: "\\") ? self.slash : $0 }
    var kept: [Bytes] = []
    for segment in upToNUL.split(separator: self.slash).map(Array.init) {
      switch String(decoding: segment.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self) {
      case ".": continue
      case "..": _ = kept.popLast()
      default: kept.append(segment)
      }
    }
    return kept.reduce(into: []) { $0 += [self.slash] + $1 }
  }
}
