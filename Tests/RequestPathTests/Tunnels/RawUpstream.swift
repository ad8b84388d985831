import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport

/// A server that says nothing by itself: a test takes its connections and speaks for it.
final class RawUpstream: Sendable {
  let port: Int
  private let channel: any Channel
  private let accepted: NIOLockedValueBox<[RawPeer]>
  private let connections: AsyncStream<RawPeer>

  init(_ pki: TestPKI) async throws {
    let context = try NIOSSLContext(
      configuration: .makeServerConfiguration(certificateChain: try pki.server.chain(), privateKey: try pki.server.privateKey()))
    let accepted = NIOLockedValueBox<[RawPeer]>([])
    let (stream, sink) = AsyncStream.makeStream(of: RawPeer.self)
    self.connections = stream
    self.accepted = accepted
    self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let peer = RawPeer(channel)
          try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: context), PeerHandler(peer, ready: nil)])
          accepted.withLockedValue { $0.append(peer) }
          sink.yield(peer)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.port = self.channel.localAddress?.port ?? 0
  }

  /// The next connection; one test takes them one after another.
  func accept() async throws -> RawPeer {
    for await peer in self.connections { return peer }
    throw CancellationError()
  }

  var connectionCount: Int { self.accepted.withLockedValue { $0.count } }

  func close() async { try? await self.channel.close().get() }
}
