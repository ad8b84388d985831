public import NIOCore
public import NIOSSL
public import SallyportCore

/// A Redis server and how to be let in.
public struct RedisConfiguration: Sendable {
  public var host: String
  public var port: Int
  /// `nil` for a connection without TLS.
  public var tls: NIOSSLContext?
  /// The user of an access control list (Redis 6 and newer); `nil` for the one that is called `default`.
  public var username: String?
  public var password: Secret?
  public var database = 0
  /// How long a connection may take to be ready, and a reply to come.
  public var timeout = TimeAmount.seconds(2)
  /// How long nobody tries again behind a connection that could not be made.
  public var pause = TimeAmount.seconds(1)

  public init(host: String, port: Int = 6379, tls: NIOSSLContext? = nil, username: String? = nil, password: Secret? = nil) {
    self.host = host
    self.port = port
    self.tls = tls
    self.username = username
    self.password = password
  }

  /// What is said before the first command.
  var greeting: [RedisCommand] {
    var greeting: [RedisCommand] = []
    if let password {
      let user = self.username.map { [Array($0.utf8)] } ?? []
      greeting.append(RedisCommand("AUTH", user + [password.withBytes { Array($0) }]))
    }
    if self.database != 0 { greeting.append(RedisCommand("SELECT", "\(self.database)")) }
    // Says whether a server that asks for no password answers at all.
    if greeting.isEmpty { greeting.append(RedisCommand("PING")) }
    return greeting
  }
}
