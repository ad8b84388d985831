import NIOCore
import Testing

@testable import SallyportPracticeCluster

@Suite struct WebSocketReaderTests {
  /// A client's frame.
  static func frame(_ first: UInt8, _ content: [UInt8], key: UInt32 = 0x1234_5678) -> ByteBuffer {
    var frame = ByteBuffer()
    frame.writeInteger(first)
    switch content.count {
    case ...125: frame.writeInteger(UInt8(content.count) | 0x80)
    case ...0xFFFF: frame.writeMultipleIntegers(UInt8(126 | 0x80), UInt16(content.count))
    default: frame.writeMultipleIntegers(UInt8(127 | 0x80), UInt64(content.count))
    }
    frame.writeInteger(key)
    for (index, byte) in content.enumerated() { frame.writeInteger(byte ^ UInt8(truncatingIfNeeded: key >> (24 - 8 * UInt32(index % 4)))) }
    return frame
  }

  /// The parts with the bytes of a message put together again.
  static func read(_ pieces: [ByteBuffer]) throws -> [WebSocketPart] {
    var reader = WebSocketReader()
    var parts: [WebSocketPart] = []
    for piece in pieces {
      for part in try reader.read(piece) {
        if case .bytes(var more) = part, case .bytes(var held)? = parts.last {
          held.writeBuffer(&more)
          parts[parts.count - 1] = .bytes(held)
        } else {
          parts.append(part)
        }
      }
    }
    return parts
  }

  static func pieces(_ bytes: ByteBuffer, of size: Int) -> [ByteBuffer] {
    var rest = bytes
    var pieces: [ByteBuffer] = []
    while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 { pieces.append(piece) }
    return pieces
  }

  @Test(arguments: [1, 2, 3, 7, 64, 1_000_000])
  func whatIsCutAnywhereIsReadAlike(size: Int) throws {
    let long = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var bytes = Self.frame(0x82, [0, 1, 2])
    // A message of three frames, with a ping between them.
    for frame in [
      Self.frame(0x02, Array(long[..<300])), Self.frame(0x89, [9]), Self.frame(0x00, [], key: 7), Self.frame(0x80, Array(long[300...])),
      Self.frame(0x81, []), Self.frame(0x8A, []), Self.frame(0x88, [0x03, 0xE8]),
    ] { bytes.writeImmutableBuffer(frame) }
    let parts = try Self.read(Self.pieces(bytes, of: size))
    #expect(
      parts.filter { if case .ping = $0 { false } else { true } }.count == parts.count - 1)
    var message = ByteBuffer()
    for case .bytes(let part) in parts { message.writeImmutableBuffer(part) }
    #expect(Array(message.readableBytesView) == [0, 1, 2] + long)
    let kinds = parts.map { part -> String in
      switch part {
      case .begin(let isText): isText ? "text" : "binary"
      case .bytes: "bytes"
      case .end: "end"
      case .ping(let content): "ping \(content.readableBytes)"
      case .pong: "pong"
      case .close(let code): "close \(code ?? 0)"
      }
    }
    #expect(
      kinds == ["binary", "bytes", "end", "binary", "bytes", "ping 1", "bytes", "end", "text", "end", "pong", "close 1000"])
  }

  @Test(arguments: [
    [0x82, 0x01, 0x00] as [UInt8], [0xC2, 0x80, 0, 0, 0, 0], [0x83, 0x80, 0, 0, 0, 0], [0x80, 0x80, 0, 0, 0, 0], [0x09, 0x80, 0, 0, 0, 0],
    [0x89, 0xFE, 0, 200, 0, 0, 0, 0], [0x82, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0x02, 0x80, 0, 0, 0, 0, 0x82, 0x80, 0, 0, 0, 0],
  ])
  func whatIsNoClientsFrameIsAFault(bytes: [UInt8]) {
    var reader = WebSocketReader()
    #expect(throws: StreamFault.self) { try reader.read(ByteBuffer(bytes: bytes)) }
  }

  @Test func theKeyIsAcceptedAsInTheStandard() {
    // RFC 6455 section 1.3
    #expect(WebSocketFrame.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  }
}
