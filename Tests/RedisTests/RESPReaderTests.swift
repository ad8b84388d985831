import NIOCore
import Testing

@testable import SallyportRedis

/// Replies, whole and in pieces, and what is none.
@Suite struct RESPReaderTests {
  private static let replies: [(text: String, value: RESPValue)] = [
    ("+OK\r\n", .text("OK")), ("+\r\n", .text("")), ("-WRONGPASS invalid\r\n", .error("WRONGPASS invalid")), (":0\r\n", .integer(0)),
    (":-42\r\n", .integer(-42)), ("$0\r\n\r\n", .bytes([])), ("$-1\r\n", .bytes(nil)), ("$4\r\na\r\nb\r\n", .bytes(Array("a\r\nb".utf8))),
    ("*0\r\n", .list([])), ("*-1\r\n", .list(nil)),
    ("*3\r\n:1\r\n$1\r\nx\r\n*1\r\n$-1\r\n", .list([.integer(1), .bytes([120]), .list([.bytes(nil)])])),
  ]

  private func values(_ reader: inout RESPReader) throws -> [RESPValue] {
    var values: [RESPValue] = []
    while let value = try reader.next() { values.append(value) }
    return values
  }

  @Test func everyKindIsRead() throws {
    for (text, value) in Self.replies {
      var reader = RESPReader()
      reader.append(ByteBuffer(string: text))
      let values = try self.values(&reader)
      #expect(values == [value])
    }
  }

  /// However the bytes come, the replies are the same, and each is there with its last byte and not before.
  @Test func piecesMakeNoDifference() throws {
    let text = Self.replies.map(\.text).joined()
    let ends = Self.replies.indices.map { Self.replies[...$0].reduce(0) { $0 + $1.text.utf8.count } }
    for size in 1...text.utf8.count {
      var reader = RESPReader()
      var rest = Array(text.utf8)[...]
      var found: [RESPValue] = []
      var fed = 0
      while !rest.isEmpty {
        reader.append(ByteBuffer(bytes: rest.prefix(size)))
        fed += min(size, rest.count)
        rest = rest.dropFirst(size)
        found += try self.values(&reader)
        #expect(found.count == ends.filter { $0 <= fed }.count)
      }
      #expect(found == Self.replies.map(\.value))
    }
  }

  @Test(arguments: [
    "OK\r\n", "\r\n", "+a\rb\r\n", ":\r\n", ":+1\r\n", ":1.5\r\n", ":99999999999999999999\r\n", "$-2\r\n", "$1048577\r\n", "$1\r\nab\r\n",
    "$1\r\na\n\r", "*-2\r\n", "*4097\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "*1\r\n?\r\n", "HTTP/1.1 400 Bad Request\r\n",
    "+" + String(repeating: "a", count: 1100) + "\r\n", ":" + String(repeating: "1", count: 1100),
  ])
  func whatIsNoReplyIsAFault(_ text: String) {
    var reader = RESPReader()
    reader.append(ByteBuffer(string: text))
    #expect(throws: RESPReader.Fault.self) {
      var reader = reader
      _ = try self.values(&reader)
    }
  }

  /// Bytes of any kind make replies, wait for more or are a fault; nothing else.
  @Test func noBytesBreakIt() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("+-:$*0123456789\r\nax".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 1...40, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
      var reader = RESPReader()
      reader.append(ByteBuffer(bytes: bytes))
      let values = try? self.values(&reader)
      #expect(values.map { $0.count <= bytes.count } ?? true)
    }
  }

  @Test func argumentsMayBeAnyBytes() throws {
    var buffer = ByteBuffer()
    RedisCommand("SET", [Array("a\r\n$5".utf8), [], [0, 255]]).write(to: &buffer)
    #expect(Array(buffer.readableBytesView) == Array("*4\r\n$3\r\nSET\r\n$5\r\na\r\n$5\r\n$0\r\n\r\n$2\r\n".utf8) + [0, 255, 13, 10])
    // A command is read as a list of values, too: what is written is what a server reads.
    var reader = RESPReader()
    reader.append(buffer)
    let read = try self.values(&reader)
    #expect(read == [.list([.bytes(Array("SET".utf8)), .bytes(Array("a\r\n$5".utf8)), .bytes([]), .bytes([0, 255])])])
  }

  @Test func aCommandDoesNotPrintItsArguments() {
    let command = RedisCommand("AUTH", "sallyport", "hunter2")
    #expect(!"\(command)".contains("hunter2") && !String(reflecting: command).contains("hunter2"))
    var dumped = ""
    dump(command, to: &dumped)
    #expect(!dumped.contains("hunter2"))
  }
}
