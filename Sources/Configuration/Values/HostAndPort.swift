import SallyportStrictYAML

/// Where to listen: `0.0.0.0:8443`, `[::1]:8443`, `localhost:8443`.
public struct HostAndPort: Sendable, Hashable, CustomStringConvertible {
  /// An IP address without brackets, or a host name.
  public let host: String
  /// 0 lets the system choose a free one.
  public let port: Int

  init(parsing text: String) throws(ValueFault) {
    let (host, port) = try Self.split(text)
    guard let port else { throw ValueFault("has no port", "write it as in 0.0.0.0:8443 or [::1]:8443") }
    self.host = host
    self.port = port
  }

  /// Splits `host`, `host:port`, `[address]` and `[address]:port`.
  static func split(_ text: String) throws(ValueFault) -> (host: String, port: Int?) {
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]"), let address = IPAddress(text[text.index(after: text.startIndex)..<end]), address.isIPv6
      else {
        throw ValueFault("has no IPv6 address in its brackets", "write it as in [::1]:8443")
      }
      return (address.description, try self.port(in: text[text.index(after: end)...]))
    }
    let colons = text.count { $0 == ":" }
    guard colons <= 1 else { throw ValueFault("has an IPv6 address without brackets", "write it as in [::1]:8443") }
    let end = text.firstIndex(of: ":") ?? text.endIndex
    // `8443` alone is a port, not a host of that name.
    guard end > text.startIndex, !text.allSatisfy({ $0.isASCII && $0.isNumber }) else {
      throw ValueFault("names no host", "write 0.0.0.0 or [::] in front of the port for all addresses")
    }
    return (try HostName.orAddress(text[..<end]), try self.port(in: text[end...]))
  }

  private static func port(in text: Substring) throws(ValueFault) -> Int? {
    guard !text.isEmpty else { return nil }
    let digits = text.dropFirst()
    guard text.first == ":", (1...5).contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(digits),
      port <= 65535
    else { throw ValueFault("has no valid port", "write a number up to 65535 behind the colon") }
    return port
  }

  public var description: String { self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)" }
}
