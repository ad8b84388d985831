import NIOCore
import NIOSSL

#if canImport(Glibc)
  import struct Glibc.linger
#elseif canImport(Darwin)
  import struct Darwin.linger
#elseif canImport(Musl)
  import struct Musl.linger
#endif

extension ChannelHandlerContext {
  /// Closes the socket under TLS: a TLS client misses the `close_notify` and knows that the connection was cut.
  ///
  /// - Parameter reset: whether a client without TLS gets to know it too
  func closeTransport(reset: Bool = false) {
    if reset, let socket = self.channel as? any SocketOptionProvider {
      _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
    if let tls = try? self.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) {
      tls.close(promise: nil)
    } else {
      self.close(promise: nil)
    }
  }
}
