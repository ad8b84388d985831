import NIOCore
import SallyportCore
import SallyportWire
import Testing

/// What a client may not say of itself, and the ways it tries.
@Suite struct StrippedRequestTests {
  /// Fields that go whatever they say and from whomever they come.
  static let alwaysRemoved = [
    "X-Remote-User", "X-Remote-Group", "X-Remote-Uid", "X-Remote-Extra-Scopes", "X-Remote-Foo", "X-Remote-", "Proxy-Authorization",
    "Audit-ID", "Authorization", "Forwarded", "X-Forwarded-For", "X-Real-Ip",
  ]
  static let forwardingFacts = ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri"]
  static let impersonation = ["Impersonate-User", "Impersonate-Uid", "Impersonate-Group", "Impersonate-Extra-Scopes", "Impersonate-Foo"]

  /// Spellings that some server on the way may fold into the name.
  static func spellings(_ name: String) -> [String] {
    let underscored = String(name.map { $0 == "-" ? "_" : $0 })
    let mixed = String(
      name.enumerated().map { $0.offset % 2 == 0 ? Character($0.element.lowercased()) : Character($0.element.uppercased()) })
    let oneUnderscore = name.replacing("-", with: "_", maxReplacements: 1)
    let dotted = name.replacing("-", with: ".")
    return [name, name.lowercased(), name.uppercased(), mixed, underscored, underscored.lowercased(), oneUnderscore, dotted]
  }

  @Test(arguments: Self.alwaysRemoved)
  func anIdentityFieldGoesInEverySpelling(_ name: String) throws {
    for spelling in Self.spellings(name) {
      for trusted in [false, true] {
        let request = try stripped([("Accept", "a"), (spelling, "system:masters"), (spelling, "second")], fromTrustedPeer: trusted)
        #expect(request.head.fields.map(\.name) == ["Accept"], "\(spelling), trusted: \(trusted)")
      }
    }
  }

  @Test(arguments: Self.forwardingFacts)
  func aForwardingFactStaysOnlyFromATrustedPeer(_ name: String) throws {
    for spelling in Self.spellings(name) {
      #expect(try stripped([(spelling, "192.0.2.1")]).head.fields.isEmpty, "\(spelling)")
      let trusted = try stripped([(spelling, "192.0.2.1"), (spelling, "::1")], fromTrustedPeer: true)
      // What a trusted peer does not know as its own field it may have passed on for its client.
      #expect(trusted.head.fields.count == (spelling.contains("_") || spelling.contains(".") ? 0 : 2), "\(spelling)")
    }
  }

  @Test(arguments: Self.alwaysRemoved + Self.forwardingFacts + Self.impersonation)
  func connectionMayNameNoIdentityField(_ name: String) {
    for spelling in Self.spellings(name) {
      for value in [spelling, "close, \(spelling)", " ,\t\(spelling) ,keep-alive", "x-other,\(spelling),\(spelling)"] {
        expectRefusal("connectionNamesField", "\(value)") {
          try stripped([("Connection", "close"), ("connection", value)], fromTrustedPeer: true)
        }
      }
    }
  }

  /// The fields by which a request is judged would otherwise vanish before it is.
  @Test(
    arguments: [
      "Host", "Content-Length", "Origin", "Sec-Fetch-Site", "Cookie", "Content-Type", "Content-Encoding", "Accept", "User-Agent", "Expect",
      "Sec-WebSocket-Protocol",
    ])
  func connectionMayNameNoFieldThatIsReadLater(_ name: String) {
    for spelling in [name, name.lowercased(), name.uppercased()] {
      expectRefusal("connectionNamesField", "\(spelling)") { try stripped([("Connection", spelling), (name, "x")]) }
    }
  }

  @Test func aFieldWithAnUnderscoreIsNotTheOneItResembles() throws {
    let request = try stripped([("Connection", "Sec_Fetch_Site"), ("Sec-Fetch-Site", "cross-site"), ("Sec_Fetch_Site", "none")])
    #expect(request.head.fields.map(\.name) == ["Sec-Fetch-Site"])
  }

  @Test func fieldsThatConnectionNamesGoInEverySpelling() throws {
    let request = try stripped([
      ("X-Mine", "1"), ("x_mine", "2"), ("X_Other", "3"), ("x-other", "4"), ("X-Stays", "5"),
      ("Connection", "close, x-MINE"), ("Connection", ",, X_Other ,"),
    ])
    #expect(request.head.fields.map(\.name) == ["X-Stays"])
  }

  @Test func fieldsOfThisConnectionGo() throws {
    let request = try stripped([
      ("Connection", "keep-alive, TE, Transfer-Encoding, Upgrade, Trailer"), ("Keep-Alive", "timeout=5"), ("TE", "trailers"),
      ("Trailer", "X"), ("Transfer-Encoding", "chunked"), ("Upgrade", "h2c"), ("Proxy-Connection", "X-Stays"),
      ("Proxy-Authenticate", "Basic"),
      ("X-Stays", "1"), ("Host", "h"),
    ])
    #expect(request.head.fields.map(\.name) == ["X-Stays", "Host"])
  }

  @Test func everythingElseStaysAsItCame() throws {
    let lines = [("Host", "h"), ("accept", "a"), ("Accept", "b"), ("Cookie", "c"), ("X-Custom", "\u{e4}"), ("X-Remoteness", "d")]
    let request = try stripped(lines)
    #expect(request.head.fields.map(\.name) == lines.map(\.0))
    #expect(request.head.fields.map(\.value) == lines.map(\.1))
    #expect(request.impersonation == nil)
    #expect(request.authorization.isEmpty)
    #expect(request.clientAuditID == nil)
    #expect(request.requestedUpgrade.isEmpty)
  }

  @Test func authorizationMovesOutOfTheFields() throws {
    let request = try stripped([("authorization", "Basic YTpi"), ("AUTHORIZATION", "Bearer x")])
    #expect(request.authorization.map(\.text) == ["Basic YTpi", "Bearer x"])
    #expect(request.head.fields.isEmpty)
  }

  @Test func theFirstAuditIDOfTheClientIsKept() throws {
    #expect(try stripped([("audit-id", "one"), ("Audit_ID", "two")]).clientAuditID == "one")
  }

  @Test func aProtocolChangeIsRememberedWhereItCounts() throws {
    let lines = [("Connection", "Upgrade"), ("Upgrade", "WebSocket, SPDY/3.1 ,"), ("upgrade", "h2c")]
    #expect(try stripped(lines).requestedUpgrade == ["websocket", "spdy/3.1", "h2c"])
    #expect(try stripped(lines).head.fields.isEmpty)
    #expect(try stripped(Array(lines.dropFirst())).requestedUpgrade.isEmpty)
    #expect(try stripped(lines, version: .http10).requestedUpgrade.isEmpty)
    #expect(try stripped([("Connection", "keep-alive, uPGRADE"), ("Upgrade", "websocket")]).requestedUpgrade == ["websocket"])
  }

  @Test func trailersCarryNothingThatIsRead() {
    let trailers = fields(
      ["X-Remote-User", "Impersonate_User", "Content-Length", "Authorization", "Host", "Checksum", "Cookie"].map { ($0, Array("x".utf8)) })
    #expect(StrippedRequest.strip(trailers: trailers).map(\.name) == ["Checksum"])
  }

  @Test func onlyADecisionToAllowMakesAPermit() throws {
    let request = try stripped([("Accept", "a")])
    let authenticated = AuthenticatedRequest(request, reading: try RequestReading(request, as: .kubernetes), subject: .anonymous)
    #expect(PermittedRequest(authenticated, .deny(rule: nil, message: "no")) == nil)
    #expect(PermittedRequest(authenticated, .allow(rule: "r"))?.rule == "r")
  }
}
