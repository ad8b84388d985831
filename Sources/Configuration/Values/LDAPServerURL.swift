import SallyportStrictYAML

/// Where a directory's server is: `ldaps://ldap.example.org`, `ldap://[::1]:389`. Scheme, host and port, nothing more.
public struct LDAPServerURL: Sendable, Hashable, CustomStringConvertible {
  public enum Scheme: String, Sendable, Hashable {
    case ldap, ldaps
  }

  public let scheme: Scheme
  /// An IP address without brackets, or a host name in lower case.
  public let host: String
  /// 636 or 389 where the URL names none.
  public let port: Int

  init(parsing text: String) throws(ValueFault) {
    let form = "write it as in ldaps://ldap.example.org"
    guard let colon = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: text[..<colon].lowercased()), text[colon...].hasPrefix("://")
    else { throw ValueFault("is not an LDAP URL", form) }
    var authority = text[colon...].dropFirst(3)
    if authority.hasSuffix("/") { authority.removeLast() }
    guard !authority.contains(where: { "/?#\\@".contains($0) }) else { throw ValueFault("has more than a host and a port", form) }
    let (host, port) = try HostAndPort.split(String(authority))
    guard port != 0 else { throw ValueFault("has no valid port", "write a number from 1 to 65535 behind the colon") }
    self.scheme = scheme
    self.host = host
    self.port = port ?? (scheme == .ldaps ? 636 : 389)
  }

  public var description: String {
    "\(self.scheme.rawValue)://\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)"
  }
}
