import Foundation
import NIOCore
import Testing

@testable import SallyportPracticeCluster

@Suite struct SPDYTests {
  /// The frames of what a session sent.
  static func frames(_ output: [ByteBuffer]) throws -> [SPDYFrame] {
    var reader = SPDYFrameReader()
    for bytes in output { reader.append(bytes) }
    var frames: [SPDYFrame] = []
    while let frame = try reader.next() { frames.append(frame) }
    return frames
  }

  @Test func theDictionaryIsTheStandards() {
    // Adler-32 of the dictionary, which a zlib header names: RFC 1950 section 2.2.
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in SPDYDictionary.bytes {
      low = (low + UInt32(byte)) % 65521
      high = (high + low) % 65521
    }
    #expect(SPDYDictionary.bytes.count == 1423 && high << 16 | low == 0xE3C6_A7C2)
  }

  @Test func headerBlocksAreOneStream() throws {
    let packer = SPDYHeaderPacker()
    let unpacker = SPDYHeaderUnpacker()
    for number in 0..<20 {
      let block = packer.pack([("streamType", "data"), ("port", "80"), ("requestID", "\(number)"), ("two", "a\0b")])
      #expect(try unpacker.unpack(block) == ["streamtype": "data", "port": "80", "requestid": "\(number)", "two": "a"])
    }
    #expect(try unpacker.unpack(packer.pack([])) == [:])
  }

  @Test func aBlockThatIsLargeOrNoneIsAFault() throws {
    let bomb = SPDYHeaderPacker().pack([("a", String(repeating: "a", count: 2 * SPDYHeaderUnpacker.limit))])
    #expect(bomb.readableBytes < 2000)
    #expect(throws: StreamFault.self) { try SPDYHeaderUnpacker().unpack(bomb) }
    #expect(throws: StreamFault.self) { try SPDYHeaderUnpacker().unpack(ByteBuffer(string: "no zlib")) }
    #expect(throws: StreamFault.self) { try SPDYHeaderUnpacker().unpack(ByteBuffer()) }
  }

  @Test(arguments: [1, 2, 5, 9, 100, 1_000_000])
  func framesThatAreCutAnywhereAreReadAlike(size: Int) throws {
    let block = SPDYHeaderPacker().pack([("streamtype", "stdin")])
    let content = ByteBuffer(bytes: (0..<1000).map { UInt8(truncatingIfNeeded: $0) })
    var bytes = SPDYFrameWriter.synStream(1, flags: 2, block: block)
    for part in SPDYFrameWriter.data(1, content, isLast: true) + SPDYFrameWriter.data(3, ByteBuffer(), isLast: true) + [
      SPDYFrameWriter.ping(7), SPDYFrameWriter.rstStream(3, .cancel), SPDYFrameWriter.goAway(lastStream: 9),
      SPDYFrameWriter.synReply(5, block: block),
      // SETTINGS, WINDOW_UPDATE, and a kind that nobody knows.
      ByteBuffer(bytes: [0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0]), ByteBuffer(bytes: [0x80, 3, 0, 9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 1, 0]),
      ByteBuffer(bytes: [0x80, 3, 0, 77, 0, 0, 0, 0]),
    ] { bytes.writeImmutableBuffer(part) }
    var reader = SPDYFrameReader()
    var frames: [SPDYFrame] = []
    var data = ByteBuffer()
    for piece in WebSocketReaderTests.pieces(bytes, of: size) {
      reader.append(piece)
      while let frame = try reader.next() {
        if case .data(1, let part, let isLast) = frame {
          data.writeImmutableBuffer(part)
          guard isLast else { continue }
          frames.append(.data(1, data, isLast: true))
        } else {
          frames.append(frame)
        }
      }
    }
    #expect(
      frames == [
        .synStream(1, flags: 2, block: block), .data(1, content, isLast: true), .data(3, ByteBuffer(), isLast: true), .ping(7),
        .rstStream(3, status: 5), .goAway(lastStream: 9), .synReply(5, flags: 0, block: block), .settings, .windowUpdate(1, delta: 256),
        .unknown(77),
      ])
  }

  @Test(arguments: [
    [0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1] as [UInt8], [0x80, 3, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF], [0x80, 3, 0, 6, 0, 0, 0, 2, 0, 0],
  ])
  func whatIsNoFrameIsAFault(bytes: [UInt8]) {
    var reader = SPDYFrameReader()
    reader.append(ByteBuffer(bytes: bytes))
    #expect(throws: StreamFault.self) { try reader.next() }
  }

  /// A client's side.
  private struct Client {
    let packer = SPDYHeaderPacker()

    func open(_ id: StreamID, _ type: String, flags: UInt8 = 0) -> ByteBuffer {
      SPDYFrameWriter.synStream(id, flags: flags, block: self.packer.pack([("Streamtype", type)]))
    }

    func data(_ id: StreamID, _ text: String, isLast: Bool = false) -> ByteBuffer {
      SPDYFrameWriter.data(id, ByteBuffer(string: text), isLast: isLast).reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
    }
  }

  @Test func aStreamIsRepliedToBeforeAnythingIsSaidOnIt() throws {
    var session = SPDYSession()
    let client = Client()
    #expect(try session.receive(client.open(1, "stdout")) == [.opened(1, fields: ["streamtype": "stdout"])])
    session.send(ByteBuffer(string: "x"), on: 1)
    let frames = try Self.frames(session.takeOutput())
    guard case .synReply(1, flags: 0, _)? = frames.first else { throw StreamFault("no reply: \(frames)") }
    #expect(frames.dropFirst() == [.data(1, ByteBuffer(string: "x"), isLast: false)])
  }

  @Test func eitherSideEndsItsHalf() throws {
    var session = SPDYSession()
    let client = Client()
    _ = try session.receive(client.open(1, "data"))
    _ = session.takeOutput()
    #expect(try session.receive(client.data(1, "bye", isLast: true)) == [.data(1, ByteBuffer(string: "bye")), .ended(1)])
    #expect(try session.receive(client.data(1, "late")) == [])
    session.send(ByteBuffer(string: "still"), on: 1)
    session.end(1)
    session.send(ByteBuffer(string: "late"), on: 1)
    #expect(
      try Self.frames(session.takeOutput()) == [.data(1, ByteBuffer(string: "still"), isLast: false), .data(1, ByteBuffer(), isLast: true)])
    // Both halves are over: a reset of it tells nobody anything.
    #expect(try session.receive(SPDYFrameWriter.rstStream(1, .cancel)) == [])
    #expect(
      try session.receive(client.open(3, "data", flags: SPDYFrame.isFinal)) == [.opened(3, fields: ["streamtype": "data"]), .ended(3)])
  }

  @Test func aResetIsTheEndOfBothHalves() throws {
    var session = SPDYSession()
    _ = try session.receive(Client().open(1, "data"))
    #expect(try session.receive(SPDYFrameWriter.rstStream(1, .cancel)) == [.reset(1)])
    _ = session.takeOutput()
    session.send(ByteBuffer(string: "late"), on: 1)
    session.end(1)
    #expect(session.takeOutput() == [])
  }

  @Test func numbersThatDoNotRiseAreRefused() throws {
    var session = SPDYSession()
    let client = Client()
    _ = try session.receive(client.open(5, "data"))
    _ = session.takeOutput()
    for id: StreamID in [5, 3, 8] {
      #expect(try session.receive(client.open(id, "data")) == [])
      #expect(try Self.frames(session.takeOutput()) == [.rstStream(id, status: SPDYStatus.protocolError.rawValue)])
    }
  }

  @Test func streamsAreCounted() throws {
    var session = SPDYSession()
    let client = Client()
    for number in 0..<SPDYSession.streamLimit { _ = try session.receive(client.open(StreamID(2 * number + 1), "data")) }
    _ = session.takeOutput()
    let next = StreamID(2 * SPDYSession.streamLimit + 1)
    #expect(try session.receive(client.open(next, "data")) == [])
    #expect(try Self.frames(session.takeOutput()) == [.rstStream(next, status: SPDYStatus.refusedStream.rawValue)])
  }

  @Test func aPingComesBackAndAnAnswerDoesNot() throws {
    var session = SPDYSession()
    #expect(try session.receive(SPDYFrameWriter.ping(3)) == [])
    #expect(try session.receive(SPDYFrameWriter.ping(2)) == [])
    #expect(try Self.frames(session.takeOutput()) == [.ping(3)])
  }

  @Test func noWindowHoldsWhatIsSent() throws {
    var session = SPDYSession()
    _ = try session.receive(Client().open(1, "stdout"))
    _ = session.takeOutput()
    // Far more than SPDY's first window of 64 KiB, and no WINDOW_UPDATE: kubectl's library sends none.
    let bytes = ByteBuffer(repeating: 7, count: 1_000_000)
    session.send(bytes, on: 1)
    let sent = try Self.frames(session.takeOutput()).reduce(0) { sum, frame in
      if case .data(1, let part, _) = frame { sum + part.readableBytes } else { sum }
    }
    #expect(sent == bytes.readableBytes)
  }

  @Test func theGoodbyeEndsEveryHalfFirst() throws {
    var session = SPDYSession()
    let client = Client()
    _ = try session.receive(client.open(1, "error"))
    _ = try session.receive(client.open(3, "stdout"))
    session.end(3)
    _ = session.takeOutput()
    session.finish()
    session.finish()
    #expect(try Self.frames(session.takeOutput()) == [.data(1, ByteBuffer(), isLast: true), .goAway(lastStream: 3)])
  }

  @Test func aGoodbyeIsNotAnswered() throws {
    var session = SPDYSession()
    _ = try session.receive(Client().open(1, "error"))
    _ = session.takeOutput()
    #expect(try session.receive(SPDYFrameWriter.goAway(lastStream: 0)) == [.goodbye])
    session.send(ByteBuffer(string: "x"), on: 1)
    session.finish()
    #expect(session.takeOutput() == [])
  }
}
