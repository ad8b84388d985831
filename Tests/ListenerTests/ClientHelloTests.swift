import Testing

@testable import SallyportListener

/// The first bytes of a connection.
@Suite struct ClientHelloTests {
  /// A ClientHello with these extensions.
  private static func hello(_ extensions: [(type: UInt16, body: [UInt8])]) -> [UInt8] {
    let block = extensions.flatMap { Self.vector16($0.type) + Self.vector16(UInt16($0.body.count)) + $0.body }
    let body: [UInt8] =
      [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + [0, 2, 0x13, 0x01] + [1, 0] + Self.vector16(UInt16(block.count)) + block
    return [1, 0] + Self.vector16(UInt16(body.count)) + body
  }

  private static func vector16(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

  private static func serverName(_ name: String, type: UInt8 = 0) -> (type: UInt16, body: [UInt8]) {
    let bytes = Array(name.utf8)
    let entry = [type] + Self.vector16(UInt16(bytes.count)) + bytes
    return (0, Self.vector16(UInt16(entry.count)) + entry)
  }

  /// The message in records of this many bytes.
  private static func records(_ message: [UInt8], of size: Int = 16384) -> [UInt8] {
    stride(from: 0, to: message.count, by: size).flatMap { start in
      let part = message[start..<min(start + size, message.count)]
      return [22, 3, 1] + Self.vector16(UInt16(part.count)) + part
    }
  }

  @Test func theHostIsReadInLowerCase() {
    let bytes = Self.records(Self.hello([(10, [0, 2, 0, 29]), Self.serverName("API.example.org")]))
    #expect(ClientHello.read(bytes) == .hello(serverName: "api.example.org"))
  }

  @Test func aClientNeedNotNameAHost() {
    #expect(ClientHello.read(Self.records(Self.hello([(10, [0, 2, 0, 29])]))) == .hello(serverName: nil))
    #expect(ClientHello.read(Self.records(Self.hello([]))) == .hello(serverName: nil))
  }

  @Test func everyPrefixIsIncomplete() {
    let bytes = Self.records(Self.hello([Self.serverName("a.example")]), of: 20)
    for count in 0..<bytes.count { #expect(ClientHello.read(bytes.prefix(count)) == .incomplete) }
    #expect(ClientHello.read(bytes) == .hello(serverName: "a.example"))
    #expect(ClientHello.read(bytes + [22, 3]) == .hello(serverName: "a.example"))
  }

  @Test(arguments: ["GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "\u{16}GET", "\u{0}"]) func whatIsNoTLSIsSeenAtOnce(_ text: String) {
    #expect(ClientHello.read(Array(text.utf8)) == .notTLS)
  }

  @Test(arguments: ["", "a b", "a\0b", "bücher.example", String(repeating: "a", count: 256)]) func whatIsNoHostNameIsNone(_ name: String) {
    #expect(ClientHello.read(Self.records(Self.hello([Self.serverName(name)]))) == .hello(serverName: nil))
  }

  @Test func aNameOfAnotherKindIsNone() {
    #expect(ClientHello.read(Self.records(Self.hello([Self.serverName("a.example", type: 1)]))) == .hello(serverName: nil))
  }

  @Test func lengthsThatLieAreHarmless() {
    var random = SystemRandomNumberGenerator()
    let good = Self.records(Self.hello([Self.serverName("a.example")]))
    for _ in 0..<2000 {
      var bytes = good
      bytes[Int.random(in: 1..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      _ = ClientHello.read(bytes)
    }
    // A message that never ends is passed on and not collected.
    #expect(
      ClientHello.read([22, 3, 1, 0xFF, 0xFF, 1, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 40_000)) == .hello(serverName: nil))
  }
}
