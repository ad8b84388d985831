import SallyportCore
import SallyportWire
import Testing

/// The bearer token that browsers send as a WebSocket protocol.
@Suite struct WebSocketTokenTests {
  static let prefix = "base64url.bearer.authorization.k8s.io."
  static let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")]

  @Test func theTokenMovesToAuthorization() throws {
    let request = try stripped(
      Self.upgrade + [("Sec-WebSocket-Protocol", "v5.channel.k8s.io, \(Self.prefix)YS5iLmM"), ("sec-websocket-protocol", "binary.k8s.io")])
    #expect(request.authorization.map(\.text) == ["Bearer a.b.c"])
    #expect(request.head.fields.map(\.name) == ["Sec-WebSocket-Protocol"])
    #expect(request.head.fields.first?.value == "v5.channel.k8s.io, binary.k8s.io")
  }

  @Test func aFieldOfNothingButTheTokenGoes() throws {
    let request = try stripped(Self.upgrade + [("Sec-WebSocket-Protocol", "\(Self.prefix)YS5iLmM"), ("Authorization", "Bearer x")])
    #expect(request.authorization.map(\.text) == ["Bearer x", "Bearer a.b.c"])
    #expect(request.head.fields.isEmpty)
  }

  @Test func otherProtocolsStayAsTheyCame() throws {
    let request = try stripped(Self.upgrade + [("Sec-WebSocket-Protocol", "a ,b"), ("Sec-WebSocket-Protocol", "c")])
    #expect(request.head.fields.map(\.value) == ["a ,b", "c"])
    #expect(request.authorization.isEmpty)
  }

  /// The API server does not believe it there either; it must not reach an upstream all the same.
  @Test(arguments: [[], [("Upgrade", "websocket")], [("Connection", "upgrade"), ("Upgrade", "SPDY/3.1")]])
  func withoutAWebSocketTheTokenIsNobodys(_ lines: [(String, String)]) throws {
    let request = try stripped(lines + [("Sec-WebSocket-Protocol", "a, \(Self.prefix)YS5iLmM")])
    #expect(request.authorization.isEmpty)
    #expect(request.head.fields.map(\.value) == ["a"])
  }

  @Test func noSpellingOfTheTokenGoesUpstream() throws {
    for prefix in [Self.prefix.uppercased(), "Base64URL.Bearer.Authorization.k8s.IO."] {
      let request = try stripped(Self.upgrade + [("Sec-WebSocket-Protocol", "a,\(prefix)YS5iLmM")])
      #expect(request.head.fields.map(\.value) == ["a"])
    }
  }

  @Test(
    arguments: [
      "", "Y", "YS5iLmM=", "YS5i LmM", "YS5i+LmM", "YS5i/LmM", "YS5iLmN", "AA", "Cg", "IA", "gA", "_w",
      "YS5iLmM, base64url.bearer.authorization.k8s.io.YS5iLmM",
    ])
  func aBrokenTokenIsRefused(_ token: String) {
    expectRefusal("brokenWebSocketToken") {
      try stripped(Self.upgrade + [("Sec-WebSocket-Protocol", "a, \(Self.prefix)\(token)")])
    }
  }

  @Test func everyLengthOfTokenIsDecoded() throws {
    // "abcd" cut to each remainder of three bytes.
    for (encoded, token) in [("YQ", "a"), ("YWI", "ab"), ("YWJj", "abc"), ("YWJjZA", "abcd"), ("fn5-Pz8_", "~~~???")] {
      let request = try stripped(Self.upgrade + [("Sec-WebSocket-Protocol", "\(Self.prefix)\(encoded)")])
      #expect(request.authorization.map(\.text) == ["Bearer \(token)"])
    }
  }
}
