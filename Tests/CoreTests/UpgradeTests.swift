import SallyportCore
import SallyportWire
import Testing

/// Which requests ask for a protocol that a tunnel may carry.
@Suite struct UpgradeTests {
  private func upgrade(
    _ fields: [(String, String)], method: SallyportWire.Method = .get, framing: BodyFraming = .none, keepsConnection: Bool = true,
    version: HTTPVersion = .http11
  ) throws -> UpgradeProtocol? {
    let plain = try head(fields, method: method)
    let request = RequestHead(
      method: method, target: plain.target, version: version, fields: plain.fields, framing: framing, keepsConnection: keepsConnection)
    return try StrippedRequest(stripping: request, fromTrustedPeer: false).upgrade
  }

  @Test(arguments: ["websocket", "WebSocket", "WEBSOCKET"])
  func webSocketIsAskedForInAnyCase(name: String) throws {
    #expect(try self.upgrade([("Connection", "keep-alive, upgrade"), ("Upgrade", name)]) == .webSocket)
  }

  @Test(arguments: ["SPDY/3.1", "spdy/3.1"])
  func spdyIsAskedForByPostAndByGet(name: String) throws {
    let fields = [("Connection", "Upgrade"), ("Upgrade", name)]
    #expect(try self.upgrade(fields, method: .post, framing: .length(0)) == .spdy)
    #expect(try self.upgrade(fields, method: .get) == .spdy)
  }

  @Test(arguments: ["h2c", "SPDY/3", "spdy/3.10", "websocket/13", "TLS/1.0", "", "websocket, SPDY/3.1", "websocket, websocket"])
  func anotherProtocolAndSeveralAreNone(value: String) throws {
    #expect(try self.upgrade([("Connection", "Upgrade"), ("Upgrade", value)]) == nil)
  }

  @Test func twoFieldsAreSeveralProtocols() throws {
    #expect(try self.upgrade([("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Upgrade", "SPDY/3.1")]) == nil)
  }

  @Test func connectionMustNameIt() throws {
    #expect(try self.upgrade([("Upgrade", "websocket")]) == nil)
    #expect(try self.upgrade([("Connection", "keep-alive"), ("Upgrade", "websocket")]) == nil)
  }

  @Test(arguments: [SallyportWire.Method.post, .put, .head, .delete, .options])
  func aWebSocketIsAskedForByGetAlone(method: SallyportWire.Method) throws {
    #expect(try self.upgrade([("Connection", "Upgrade"), ("Upgrade", "websocket")], method: method) == nil)
  }

  @Test func aConnectionThatEndsChangesToNothing() throws {
    let fields = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    #expect(try self.upgrade(fields, keepsConnection: false) == nil)
    #expect(try self.upgrade(fields, version: .http10) == nil)
  }

  @Test(arguments: [BodyFraming.length(1), .chunked])
  func anUpgradeWithABodyIsRefused(framing: BodyFraming) {
    expectRefusal("upgradeWithBody") {
      let plain = try head([("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")], method: .post)
      return try StrippedRequest(
        stripping: RequestHead(method: .post, target: plain.target, fields: plain.fields, framing: framing), fromTrustedPeer: false)
    }
  }

  @Test func aBodyWithAnotherProtocolIsAnOrdinaryRequest() throws {
    // curl asks for h2c with everything that it sends when it is told to speak HTTP/2 without TLS.
    #expect(try self.upgrade([("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c")], method: .post, framing: .length(5)) == nil)
  }
}
