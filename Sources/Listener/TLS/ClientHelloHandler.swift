import NIOCore

/// Stands before TLS until the client's first message is there, looks at it, and leaves.
///
/// It tells a client without TLS from one with broken TLS, and reads the host name, which the TLS library keeps to itself.
final class ClientHelloHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let handshake: HandshakeHandler
  private var held: ByteBuffer?

  init(handshake: HandshakeHandler) { self.handshake = handshake }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = self.unwrapInboundIn(data)
    if var held = self.held {
      held.writeBuffer(&bytes)
      bytes = held
    }
    self.held = nil
    switch ClientHello.read(bytes.readableBytesView) {
    case .incomplete:
      self.handshake.helloBegan()
      self.held = bytes
    case .notTLS:
      // Whatever it is, it gets no answer: there is no telling what would read it.
      self.handshake.failed(
        with: bytes.beginsAsProxyHeader ? ListenerProblem.proxyHeaderNotAllowed : ListenerProblem.plaintextOnTLSPort)
      context.close(promise: nil)
    case .hello(let serverName):
      self.handshake.helloBegan()
      self.handshake.serverName = serverName
      context.fireChannelRead(self.wrapInboundOut(bytes))
      // Handlers that were called from there may have closed the channel.
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
  }
}

extension ByteBuffer {
  /// Whether this looks like a PROXY header of either version; for the record, which then says what to mend.
  fileprivate var beginsAsProxyHeader: Bool {
    [ProxyHeaderV1.signature, ProxyHeaderV2.signature].contains { self.readableBytesView.starts(with: $0) }
  }
}
