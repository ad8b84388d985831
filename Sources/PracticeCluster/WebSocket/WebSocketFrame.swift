import Crypto
import NIOCore

import struct Foundation.Data

/// The frames that a server sends (RFC 6455 section 5.2): whole messages, without a mask.
enum WebSocketFrame {
  static let normalClosure: UInt16 = 1000
  static let protocolError: UInt16 = 1002

  static func binary(_ content: ByteBuffer, prefix: UInt8? = nil) -> [ByteBuffer] {
    var head = self.head(0x82, length: content.readableBytes + (prefix == nil ? 0 : 1))
    if let prefix { head.writeInteger(prefix) }
    return content.readableBytes == 0 ? [head] : [head, content]
  }

  static func text(_ content: String) -> ByteBuffer {
    var frame = self.head(0x81, length: content.utf8.count)
    frame.writeString(content)
    return frame
  }

  static func pong(_ content: ByteBuffer) -> ByteBuffer {
    var frame = self.head(0x8A, length: content.readableBytes)
    frame.writeImmutableBuffer(content)
    return frame
  }

  static func close(_ code: UInt16) -> ByteBuffer {
    var frame = self.head(0x88, length: 2)
    frame.writeInteger(code)
    return frame
  }

  private static func head(_ first: UInt8, length: Int) -> ByteBuffer {
    var head = ByteBuffer()
    head.writeInteger(first)
    switch length {
    case ...125: head.writeInteger(UInt8(length))
    case ...0xFFFF: head.writeMultipleIntegers(UInt8(126), UInt16(length))
    default: head.writeMultipleIntegers(UInt8(127), UInt64(length))
    }
    return head
  }

  /// The `Sec-WebSocket-Accept` for a client's key (RFC 6455 section 4.2.2).
  static func accept(_ key: String) -> String {
    Data(Insecure.SHA1.hash(data: Data("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))).base64EncodedString()
  }
}
