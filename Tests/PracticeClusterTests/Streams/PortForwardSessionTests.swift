import Foundation
import NIOCore
import Testing

@testable import SallyportPracticeCluster

@Suite struct PortForwardSessionTests {
  private static func open(_ session: inout PortForwardSession, port: String, request: String = "0", from id: StreamID = 1)
    -> [StreamCommand]
  {
    session.receive(.opened(id, fields: ["streamtype": "error", "port": port, "requestid": request]))
      + session.receive(.opened(id + 2, fields: ["streamtype": "data", "port": port, "requestid": request]))
  }

  @Test func aPortEchoesUntilTheClientIsDone() {
    var session = PortForwardSession()
    #expect(Self.open(&session, port: "8080") == [])
    #expect(Self.open(&session, port: "8080", request: "1", from: 5) == [])
    #expect(session.receive(.data(3, ByteBuffer(string: "a"))) == [.send(ByteBuffer(string: "a"), on: 3)])
    #expect(session.receive(.data(7, ByteBuffer(string: "b"))) == [.send(ByteBuffer(string: "b"), on: 7)])
    // kubectl ends the error stream at once, since it says nothing on it.
    #expect(session.receive(.ended(1)) == [])
    #expect(session.receive(.ended(3)) == [.end(3), .end(1)])
    #expect(session.receive(.data(3, ByteBuffer(string: "late"))) == [])
    #expect(session.receive(.reset(7)) == [.end(5)])
  }

  @Test func theOtherServicesEndFromTheirSide() {
    var session = PortForwardSession { Date(timeIntervalSince1970: 0) }
    #expect(Self.open(&session, port: "13") == [.send(ByteBuffer(string: "1970-01-01T00:00:00Z\r\n"), on: 3), .end(3), .end(1)])
    #expect(session.receive(.data(3, ByteBuffer(string: "unheard"))) == [])
    #expect(Self.open(&session, port: "9", request: "1", from: 5) == [])
    #expect(session.receive(.data(7, ByteBuffer(string: "swallowed"))) == [])
    #expect(session.receive(.ended(7)) == [.end(7), .end(5)])
    let refused = Self.open(&session, port: "1", request: "2", from: 9)
    #expect(refused.count == 3 && refused.last == .end(9))
    guard case .send(let text, on: 9)? = refused.first else { Issue.record("no error: \(refused)"); return }
    #expect(String(buffer: text).contains("connection refused"))
  }

  @Test func aStreamThatIsNoPartOfAConnectionIsRefused() {
    var session = PortForwardSession()
    for fields in [
      [:], ["streamtype": "data", "port": "80", "requestid": "0"], ["streamtype": "error", "port": "0"],
      ["streamtype": "error", "port": "70000"],
      ["streamtype": "stdin", "port": "80"],
    ] { #expect(session.receive(.opened(1, fields: fields)) == [.reset(1)]) }
  }

  @Test func aWebSocketsChannelsBeginWithTheirPorts() throws {
    let channels = try PortForwardSession.webSocketChannels(["8080,81"])
    #expect(channels.map(\.id) == [1, 0, 3, 2])
    #expect(channels.map { $0.greeting.map { Array($0.readableBytesView) } } == [[0x90, 0x1F], [0x90, 0x1F], [81, 0], [81, 0]])
    for bad in [[], ["x"], ["0"], [""], ["80,,81"]] as [[String]] {
      #expect(throws: APIError.self) { try PortForwardSession.webSocketChannels(bad) }
    }
  }
}
