import SallyportStrictYAML

/// Where an upstream's server is: `https://10.0.0.1:6443`. Nothing but scheme, host and port, because the rest of a URL is
/// the request's own.
public struct ServerURL: Sendable, Hashable, CustomStringConvertible {
  public enum Scheme: String, Sendable, Hashable {
    case https, http
  }

  public let scheme: Scheme
  /// An IP address without brackets, or a host name in lower case.
  public let host: String
  /// 443 or 80 where the URL names none.
  public let port: Int

  init(parsing text: String) throws(ValueFault) {
    let form = "write it as in https://10.0.0.1:6443"
    guard let colon = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: text[..<colon].lowercased()), text[colon...].hasPrefix("://")
    else { throw ValueFault("is not an https URL", form) }
    var authority = text[colon...].dropFirst(3)
    if authority.hasSuffix("/") { authority.removeLast() }
    guard !authority.contains("@") else { throw ValueFault("has credentials in it", form) }
    guard !authority.contains(where: { "/?#\\".contains($0) }) else { throw ValueFault("has a path, query or fragment", form) }
    let (host, port) = try HostAndPort.split(String(authority))
    guard port != 0 else { throw ValueFault("has no valid port", "write a number from 1 to 65535 behind the colon") }
    self.scheme = scheme
    self.host = host
    self.port = port ?? (scheme == .https ? 443 : 80)
  }

  public var description: String {
    "\(self.scheme.rawValue)://\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)"
  }
}
