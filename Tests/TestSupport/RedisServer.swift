import Foundation
import Glibc
import SallyportPKI

/// A Redis server of a test's own, on loopback, with an access control list and TLS, and gone with the object.
///
/// It is what Debian's redis-tools has for reading dumps: the server is the same program by another name, and comes without a
/// service that would be started.
public final class RedisServer: Sendable {
  public static let user = "sallyport"
  public static let password = "redis-password-7"

  private let directory = TemporaryDirectory()
  private let process: RunningTool
  public let port: Int
  public let tlsPort: Int
  /// The authority that signed the server's certificate, for `localhost`, `127.0.0.1` and `::1`.
  public let caFile: String

  /// - Parameter ports: to begin again where another server was
  public init(pki: TestPKI, ports: (plain: Int, tls: Int)? = nil) async throws {
    self.caFile = try self.directory.write(pki.serverAuthority.certificatePEM, to: "ca.pem")
    try self.directory.write(pki.server.chainPEM, to: "server.pem")
    try self.directory.write(pki.server.privateKeyPEM, to: "server.key")
    self.port = try ports?.plain ?? LoopbackPort.free()
    self.tlsPort = try ports?.tls ?? LoopbackPort.free()
    try self.directory.write(
      """
      bind 127.0.0.1
      port \(self.port)
      tls-port \(self.tlsPort)
      tls-cert-file \(self.directory.file("server.pem"))
      tls-key-file \(self.directory.file("server.key"))
      tls-auth-clients no
      dir \(self.directory.path)
      save ""
      user default off
      user \(Self.user) on >\(Self.password) ~sallyport:* +@all
      """, to: "redis.conf")
    let program = self.directory.file("redis-server")
    try FileManager.default.createSymbolicLink(atPath: program, withDestinationPath: "/usr/bin/redis-check-rdb")
    self.process = try RunningTool(program, [self.directory.file("redis.conf")])
    try await self.waitUntilReady()
  }

  public func signal(_ signal: Int32) { self.process.signal(signal) }

  /// Ends the server; what it kept is gone.
  public func stop() async throws {
    self.process.signal(SIGCONT)
    self.process.signal(SIGKILL)
    _ = try await self.process.result(seconds: 30)
  }

  /// What the server answers to a command, asked by its own client.
  public func ask(_ command: String...) async throws -> String {
    let login = ["-p", "\(self.port)", "--user", Self.user, "--pass", Self.password, "--no-auth-warning"]
    return try await run("redis-cli", login + command).output
  }

  private func waitUntilReady() async throws {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      guard self.process.isRunning else { throw ToolFailure("redis-server ended early: \(self.process.output)\(self.process.errors)") }
      if try await self.ask("PING").hasPrefix("PONG") { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw ToolFailure("redis-server did not answer: \(self.process.output)")
  }
}
