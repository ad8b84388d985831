public import NIOCore
import NIOPosix
public import SallyportCore
import SallyportWire

import struct Foundation.Date

/// Accepts connections of this machine's own processes at a Unix domain socket and speaks HTTP/1.1, by the same strict reader as
/// towards everybody else. What it hands on says who is at the other end.
///
/// Whoever may connect is decided by the place of the socket, which its owner prepares.
public final class UnixListener: Sendable {
  public let path: String
  private let server: any Channel
  private let registry: ConnectionRegistry

  private init(path: String, server: any Channel, registry: ConnectionRegistry) {
    self.path = path
    self.server = server
    self.registry = registry
  }

  /// Begins to listen at a path where nothing is.
  ///
  /// - Parameter group: the event loops that connections are spread over
  /// - Throws: ``Problem`` that names the path and what is wrong with it
  public static func start(
    name: String, path: String, receiver: any RequestReceiver, group: any EventLoopGroup
  ) async throws(Problem) -> UnixListener {
    let configuration = ListenerConfiguration(
      name: name, host: path, port: 0, tls: nil, messages: MessageLimits(headBytes: 16 * 1024, fieldCount: 64),
      connections: ConnectionLimits(total: 64, perAddress: 64), timeouts: ListenerTimeouts(writeStall: .seconds(30)))
    let registry = ConnectionRegistry(limits: configuration.connections)
    let setup = ConnectionSetup(configuration, tls: nil, receiver: receiver, registry: registry, now: { Date() })
    let bootstrap = ServerBootstrap(group: group).childChannelInitializer { channel in
      LocalPeer.read(of: channel).flatMapThrowing { try setup.setUp(channel, of: $0) }
    }
    do {
      let server = try await bootstrap.bind(unixDomainSocketPath: path).get()
      return UnixListener(path: path, server: server, registry: registry)
    } catch {
      throw ListenerProblem.addressUnusable.with(detail: "listener \(name): \(path): \(error)")
    }
  }

  /// Takes no more connections and cuts those that are open. The socket itself stays for its owner to remove.
  public func close() async {
    try? await self.server.close()
    let channels = self.registry.close()
    for channel in channels { channel.tell(.cut) }
    for channel in channels { try? await channel.closeFuture.get() }
  }
}

extension LocalPeer {
  /// `struct ucred` (unix(7)), which the C library shows only to GNU sources.
  private struct Credentials {
    var process: Int32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0
  }

  /// Who had the other end of the connection when it was made; the kernel says so, and nobody else can.
  fileprivate static func read(of channel: any Channel) -> EventLoopFuture<LocalPeer> {
    guard let provider = channel as? any SocketOptionProvider else {
      return channel.eventLoop.makeFailedFuture(ListenerProblem.addressUnusable.with(detail: "the connection has no socket"))
    }
    let credentials: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(
      level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
    return credentials.map { LocalPeer(process: $0.process, user: $0.user) }
  }
}
