import NIOConcurrencyHelpers
import NIOCore

/// The open connections, so that closing the server closes them too, and what was sent over them.
final class ConnectionRegistry: Sendable {
  private let streamed = NIOLockedValueBox(0)
  private let tunnels = NIOLockedValueBox(0)
  private let channels = NIOLockedValueBox<[ObjectIdentifier: any Channel]>([:])

  func insert(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    self.channels.withLockedValue { $0[id] = channel }
    channel.closeFuture.whenComplete { _ in self.channels.withLockedValue { $0[id] = nil } }
  }

  /// How many connections have left HTTP and are open.
  var openTunnels: Int { self.tunnels.withLockedValue { $0 } }

  func countTunnel(_ channel: any Channel) {
    self.tunnels.withLockedValue { $0 += 1 }
    channel.closeFuture.whenComplete { _ in self.tunnels.withLockedValue { $0 -= 1 } }
  }

  /// How many connections are open.
  var openConnections: Int { self.channels.withLockedValue { $0.count } }

  /// How many bytes of streamed answers were made so far: all that can be in memory or on its way for slow clients.
  var streamedBytes: Int { self.streamed.withLockedValue { $0 } }

  func count(streamedBytes count: Int) { self.streamed.withLockedValue { $0 += count } }

  func closeAll() async {
    let open = self.channels.withLockedValue { Array($0.values) }
    for channel in open { channel.close(mode: .all, promise: nil) }
    for channel in open { try? await channel.closeFuture.get() }
  }
}
