import SallyportWire

/// The host that a request names, as hosts are compared: lower case, without port, brackets or trailing dot.
struct HostName: Hashable, Sendable {
  let text: String

  /// The host that a request is for: its target's, where that is of the absolute form, else that of `Host` (RFC 9112
  /// section 3.2.2). A request in which the two differ was refused when it was read.
  init?(of head: RequestHead) {
    guard let stated = head.target.authority ?? head.fields.first(.host)?.value else { return nil }
    self.init(hostField: stated)
  }

  /// Reads a `Host` field's value; `nil` for an empty one.
  init?(hostField: String) {
    var host = Substring(hostField)
    if host.first == "[" {
      guard let end = host.firstIndex(of: "]") else { return nil }
      host = host[host.index(after: host.startIndex)..<end]
    } else if let colon = host.firstIndex(of: ":") {
      host = host[..<colon]
    }
    if host.hasSuffix(".") { host.removeLast() }
    guard !host.isEmpty else { return nil }
    self.text = host.lowercased()
  }
}
