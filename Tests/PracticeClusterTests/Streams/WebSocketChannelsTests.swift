import Foundation
import NIOCore
import Testing

@testable import SallyportPracticeCluster

@Suite struct WebSocketChannelsTests {
  private static let both: [WebSocketChannels.Channel] = [
    .init(id: 0, fields: ["streamtype": "stdin"]), .init(id: 1, fields: ["streamtype": "stdout"], greeting: ByteBuffer()),
  ]

  private static func all(_ events: [StreamEvent]) -> [StreamID: String] {
    var texts: [StreamID: String] = [:]
    for case .data(let id, let bytes) in events { texts[id, default: ""] += String(buffer: bytes) }
    return texts
  }

  @Test func aMessageGoesToTheChannelThatItNames() throws {
    var channels = WebSocketChannels(Self.both)
    #expect(channels.open() == [.opened(0, fields: ["streamtype": "stdin"]), .opened(1, fields: ["streamtype": "stdout"])])
    #expect(channels.takeOutput() == [ByteBuffer(bytes: [0x82, 1, 1])], "the empty message that tells the client to begin")
    var bytes = WebSocketReaderTests.frame(0x82, [0] + Array("hel".utf8))
    // The number may stand alone in the first frame of a message.
    bytes.writeImmutableBuffer(WebSocketReaderTests.frame(0x02, [0]))
    bytes.writeImmutableBuffer(WebSocketReaderTests.frame(0x80, Array("lo".utf8)))
    bytes.writeImmutableBuffer(WebSocketReaderTests.frame(0x82, [9, 65]))
    var events: [StreamEvent] = []
    for piece in WebSocketReaderTests.pieces(bytes, of: 1) { events += try channels.receive(piece) }
    #expect(Self.all(events) == [0: "hello"])
  }

  @Test func onlyVersion5EndsAChannelAlone() throws {
    let signal = WebSocketReaderTests.frame(0x82, [255, 0])
    var five = WebSocketChannels(Self.both, knowsCloseSignal: true)
    #expect(try five.receive(signal) == [.ended(0)])
    #expect(try five.receive(signal) == [])
    #expect(try five.receive(WebSocketReaderTests.frame(0x82, [0, 65])) == [], "nothing comes behind the end")
    var four = WebSocketChannels(Self.both)
    #expect(try four.receive(signal) == [])
  }

  @Test func base64TravelsAsText() throws {
    var channels = WebSocketChannels(Self.both, isBase64: true)
    let text = "0" + Data("hello".utf8).base64EncodedString()
    var events: [StreamEvent] = []
    for piece in WebSocketReaderTests.pieces(WebSocketReaderTests.frame(0x81, Array(text.utf8)), of: 3) {
      events += try channels.receive(piece)
    }
    #expect(events == [.data(0, ByteBuffer(string: "hello"))])
    channels.send(ByteBuffer(string: "hello"), on: 1)
    #expect(channels.takeOutput().map { String(buffer: $0) } == ["\u{fffd}\u{9}1aGVsbG8="])
  }

  @Test func aPingIsAnsweredAndAGoodbyeToo() throws {
    var channels = WebSocketChannels(Self.both)
    #expect(try channels.receive(WebSocketReaderTests.frame(0x89, [7])) == [])
    #expect(channels.takeOutput() == [ByteBuffer(bytes: [0x8A, 1, 7])])
    #expect(try channels.receive(WebSocketReaderTests.frame(0x88, [0x03, 0xE8])) == [.goodbye])
    channels.finish()
    channels.send(ByteBuffer(string: "late"), on: 1)
    #expect(channels.takeOutput() == [ByteBuffer(bytes: [0x88, 2, 0x03, 0xE8])])
  }

  @Test func aFaultIsToldOnce() {
    var channels = WebSocketChannels(Self.both)
    #expect(throws: StreamFault.self) { try channels.receive(ByteBuffer(bytes: [0x82, 0x01, 0x00])) }
    channels.finish()
    #expect(channels.takeOutput() == [ByteBuffer(bytes: [0x88, 2, 0x03, 0xEA])])
  }

  @Test func aTunnelCarriesAnotherProtocolWhereverItsMessagesEnd() throws {
    var tunnel = WebSocketTunnel(SPDYSession())
    let syn = SPDYFrameWriter.synStream(1, block: SPDYHeaderPacker().pack([("streamType", "error"), ("port", "80")]))
    var bytes = ByteBuffer()
    for piece in WebSocketReaderTests.pieces(syn, of: 5) {
      bytes.writeImmutableBuffer(WebSocketReaderTests.frame(0x82, Array(piece.readableBytesView)))
    }
    #expect(try tunnel.receive(bytes) == [.opened(1, fields: ["streamtype": "error", "port": "80"])])
    let reply = tunnel.takeOutput()
    #expect(reply.first?.getInteger(at: 0, as: UInt8.self) == 0x82)
    tunnel.send(ByteBuffer(string: "x"), on: 1)
    tunnel.finish()
    // Everything that was said goes before the farewell.
    let rest = tunnel.takeOutput()
    #expect(rest.last == ByteBuffer(bytes: [0x88, 2, 0x03, 0xE8]))
    #expect(rest.contains(ByteBuffer(string: "x")))
  }
}
