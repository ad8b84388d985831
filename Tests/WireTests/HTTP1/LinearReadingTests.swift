import NIOCore
import Testing

@testable import SallyportWire

/// A head that drips in must not cost more than one that comes whole: no byte is looked at twice, and what waits is not
/// copied for each byte that joins it.
@Suite struct LinearReadingTests {
  @Test func theScannerDoesNotLookAtAByteTwice() throws {
    var scanner = LineScanner()
    var bytes = Array("GET / HTTP/1.1".utf8)
    #expect(try bytes.withUnsafeBytes { try scanner.nextLine(in: $0, limit: 100) } == nil)
    // Had it looked again, it would find this line end.
    bytes[3] = 0x0D
    bytes[4] = 0x0A
    bytes += Array("\r\n".utf8)
    #expect(try bytes.withUnsafeBytes { try scanner.nextLine(in: $0, limit: 100) } == 0..<14)
    #expect(try bytes.withUnsafeBytes { try scanner.nextLine(in: $0, limit: 100) } == nil)
    #expect(scanner.lineStart == 16)
  }

  @Test func waitingBytesAreMovedRarelyWhileTheyGrow() {
    var unread = UnreadBytes()
    var moves = 0
    var address: UInt?
    for _ in 0..<100_000 {
      unread.append(ByteBuffer(integer: UInt8(ascii: "a")))
      let now = unread.buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
      if now != address { moves += 1 }
      address = now
    }
    #expect(unread.count == 100_000)
    #expect(moves < 40, "capacity grows by factors")
  }

  @Test func bytesThatAreStillInUseElsewhereStayAsTheyAre() {
    var unread = UnreadBytes()
    unread.append(ByteBuffer(string: "first second"))
    let first = unread.read(6)
    unread.append(ByteBuffer(string: " third"))
    #expect(String(buffer: first) == "first ")
    #expect(String(buffer: unread.buffer) == "second third")
    #expect(unread.buffer.readerIndex == 0, "what was read is not carried along")
  }

  @Test func aBufferThatCameAloneIsNotCopied() {
    let received = ByteBuffer(string: "some bytes")
    var unread = UnreadBytes()
    unread.append(received)
    let address = unread.buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    #expect(address == received.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) })
  }
}
