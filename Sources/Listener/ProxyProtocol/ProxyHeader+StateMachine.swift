import NIOCore

/// Collects the PROXY header at the front of a connection, however its bytes come, and gives back what follows it.
///
/// Bytes that cannot become a header any more are refused as soon as that is seen. No more than a header's largest size is
/// ever held: 107 bytes of version 1 (the specification's own bound), 4 KiB of version 2, whose length field would allow 64.
///
/// See https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt, section 2.
struct ProxyHeaderStateMachine {
  enum Action {
    /// More bytes are needed.
    case wait
    /// The header is whole; `rest` was sent behind it.
    case proceed(ProxyHeader, rest: ByteBuffer)
    case refuse(ProxyHeaderFault)
  }

  private enum State { case collecting, ended }

  private var state = State.collecting
  private var held = ByteBuffer()

  /// Whether a part of a header is there.
  private(set) var hasBegun = false

  mutating func received(_ bytes: ByteBuffer) -> Action {
    switch self.state {
    case .collecting: break
    case .ended: return .refuse(.malformed("bytes came behind its end"))
    }
    self.held.writeImmutableBuffer(bytes)
    self.hasBegun = self.held.readableBytes > 0
    do throws(ProxyHeaderFault) {
      guard let (header, length) = try Self.read(self.held.readableBytesView) else { return .wait }
      self.state = .ended
      self.held.moveReaderIndex(forwardBy: length)
      return .proceed(header, rest: self.held)
    } catch {
      self.state = .ended
      return .refuse(error)
    }
  }

  /// - Returns: `nil` where more bytes are needed
  private static func read(_ bytes: ByteBufferView) throws(ProxyHeaderFault) -> (ProxyHeader, length: Int)? {
    guard let first = bytes.first else { return nil }
    switch first {
    case ProxyHeaderV1.signature[0]: return try ProxyHeaderV1.read(bytes)
    case ProxyHeaderV2.signature[0]: return try ProxyHeaderV2.read(bytes)
    default: throw .missing
    }
  }
}
