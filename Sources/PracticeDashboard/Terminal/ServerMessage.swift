import Crypto
import Foundation
import NIOCore

/// What the dashboard itself says on a terminal's WebSocket; all else it hands on as it came.
enum ServerMessage {
  /// The channel on which the API tells a command's outcome, as a `v1.Status`.
  static let statusChannel: UInt8 = 3
  /// RFC 6455 section 7.4.1: all is said.
  private static let normalClosure: UInt16 = 1000

  /// The `Sec-WebSocket-Accept` for a client's key (RFC 6455 section 4.2.2).
  static func accept(_ key: String) -> String {
    Data(Insecure.SHA1.hash(data: Data("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))).base64EncodedString()
  }

  /// Why there is no terminal, and the end. A script cannot read the answer to an upgrade that fails, so it is told behind one that
  /// succeeds, in the form that a command's failure has.
  static func refusal(_ status: Data) -> ByteBuffer {
    var frames = ByteBuffer()
    self.writeHead(0x82, length: status.count + 1, to: &frames)
    frames.writeInteger(self.statusChannel)
    frames.writeBytes(status)
    self.writeHead(0x88, length: 2, to: &frames)
    frames.writeInteger(self.normalClosure)
    return frames
  }

  /// Opcode and length of a whole message (RFC 6455 section 5.2); a server's have no mask.
  private static func writeHead(_ first: UInt8, length: Int, to frames: inout ByteBuffer) {
    frames.writeInteger(first)
    switch length {
    case ...125: frames.writeInteger(UInt8(length))
    case ...0xFFFF: frames.writeMultipleIntegers(UInt8(126), UInt16(length))
    default: frames.writeMultipleIntegers(UInt8(127), UInt64(length))
    }
  }
}
