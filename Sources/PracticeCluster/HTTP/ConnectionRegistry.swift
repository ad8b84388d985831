import NIOConcurrencyHelpers
import NIOCore

/// The open connections, so that closing the server closes them too.
final class ConnectionRegistry: Sendable {
  private let channels = NIOLockedValueBox<[ObjectIdentifier: any Channel]>([:])

  func insert(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    self.channels.withLockedValue { $0[id] = channel }
    channel.closeFuture.whenComplete { _ in self.channels.withLockedValue { $0[id] = nil } }
  }

  func closeAll() async {
    let open = self.channels.withLockedValue { Array($0.values) }
    for channel in open { channel.close(mode: .all, promise: nil) }
    for channel in open { try? await channel.closeFuture.get() }
  }
}
