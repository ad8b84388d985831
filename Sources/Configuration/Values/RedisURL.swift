import SallyportStrictYAML

/// Where a Redis server is: `rediss://redis.example.org`, `redis://[::1]:6380/2`. Scheme, host, port and the database's number,
/// nothing more: who is let in does not stand in a URL.
public struct RedisURL: Sendable, Hashable, CustomStringConvertible {
  /// `rediss`.
  public let usesTLS: Bool
  /// An IP address without brackets, or a host name in lower case.
  public let host: String
  /// 6379 where the URL names none.
  public let port: Int
  public let database: Int

  init(parsing text: String) throws(ValueFault) {
    let form = "write it as in rediss://redis.example.org:6379"
    guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
      let usesTLS = ["redis": false, "rediss": true][text[..<colon].lowercased()]
    else { throw ValueFault("is not the URL of a Redis server", form) }
    let parts = text[colon...].dropFirst(3).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard !parts[0].contains(where: { "?#\\@".contains($0) }) else { throw ValueFault("has more than a host and a port", form) }
    let number = parts.count == 2 ? String(parts[1]) : ""
    guard number.isEmpty || number.utf8.allSatisfy({ (48...57).contains($0) }), let database = number.isEmpty ? 0 : Int(number),
      database < 1024
    else { throw ValueFault("names no database", "write its number behind the slash, as in rediss://redis.example.org/2") }
    let (host, port) = try HostAndPort.split(String(parts[0]))
    guard port != 0 else { throw ValueFault("has no valid port", "write a number from 1 to 65535 behind the colon") }
    self.usesTLS = usesTLS
    self.host = host
    self.port = port ?? 6379
    self.database = database
  }

  public var description: String {
    "\(self.usesTLS ? "rediss" : "redis")://\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)/\(self.database)"
  }
}
