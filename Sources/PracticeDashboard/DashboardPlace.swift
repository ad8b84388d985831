/// What a path of the dashboard is.
enum DashboardPlace: Equatable {
  case overview
  case pods(namespace: String)
  case secrets(namespace: String)
  case pod(PodName)
  /// The page with a terminal in it.
  case terminal(PodName)
  /// What the terminal's script opens a WebSocket to.
  case exec(PodName)
  /// The terminal's script.
  case script

  /// - Parameter basePath: what stands before every path, without a slash at its end
  /// - Returns: `nil` where there is nothing
  init?(_ uri: String, below basePath: String) {
    let path = uri.prefix { $0 != "?" }
    guard path.hasPrefix(basePath) else { return nil }
    let parts = path.dropFirst(basePath.count).split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
    if parts.isEmpty || parts == [""] {
      self = .overview
    } else if parts == ["terminal.js"] {
      self = .script
    } else if parts.count >= 2, parts[0] == "namespaces", Self.isLabel(parts[1]) {
      guard let place = Self.inNamespace(parts[1], Array(parts[2...])) else { return nil }
      self = place
    } else {
      return nil
    }
  }

  private static func inNamespace(_ namespace: String, _ parts: [String]) -> DashboardPlace? {
    if parts.isEmpty { return .pods(namespace: namespace) }
    if parts == ["secrets"] { return .secrets(namespace: namespace) }
    guard parts.count >= 2, parts[0] == "pods", self.isSubdomain(parts[1]) else { return nil }
    let pod = PodName(namespace: namespace, name: parts[1])
    switch parts[2...] {
    case []: return .pod(pod)
    case ["terminal"]: return .terminal(pod)
    case ["exec"]: return .exec(pod)
    default: return nil
    }
  }

  // Names go into the path of a question, so they must be nothing but names (RFC 1123).
  private static func isLabel(_ text: String) -> Bool { text.wholeMatch(of: /[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/) != nil }
  private static func isSubdomain(_ text: String) -> Bool {
    text.utf8.count <= 253 && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { self.isLabel(String($0)) }
  }
}

struct PodName: Equatable, Sendable {
  let namespace: String
  let name: String

  /// At the API.
  var path: String { "/api/v1/namespaces/\(self.namespace)/pods/\(self.name)" }
}
