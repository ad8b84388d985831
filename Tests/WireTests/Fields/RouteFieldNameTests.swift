import SallyportWire
import Testing

@Suite struct RouteFieldNameTests {
  @Test(arguments: [
    "Authorization", "authorization", "Host", "Content-Length", "content_length", "Transfer-Encoding", "Transfer.Encoding", "Connection",
    "TE",
    "Trailer", "Upgrade", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Anything", "Expect", "Content-Type",
    "Content-Encoding", "X-Remote-User", "X_Remote_User", "X-Remote-Anything", "x.remote.group", "X-Remote-Extra-a", "Impersonate-User",
    "impersonate_group", "Impersonate-Anything", "Audit-ID", "audit_id", "X-Forwarded-For", "X-Forwarded-Anything", "Forwarded",
    "X-Real-Ip",
    "X-HTTP-Method-Override", "X-Original-URL", "Sec-WebSocket-Protocol", "Sec-WebSocket-Key", "HTTP2-Settings",
  ]) func whatIsTheGatewaysOrTheConnectionsIsReserved(_ name: String) {
    #expect(throws: RouteFieldName.Fault.reserved) { try RouteFieldName(name) }
  }

  @Test(arguments: ["", "X User", "X:User", "X-Üser", "X\r\nY", "X(User)", ":authority", String(repeating: "x", count: 257)])
  func whatIsNoTokenIsNoName(_ name: String) {
    #expect(throws: RouteFieldName.Fault.notAToken) { try RouteFieldName(name) }
  }

  @Test(arguments: ["X-User", "SM_USER", "Cookie", "Accept-Encoding", "Origin", "x", "X.User", "Authorization-Info"])
  func othersCanBeSet(_ name: String) throws {
    #expect(try RouteFieldName(name).description == name)
  }

  @Test func spellingsThatServersTakeForTheSameAreTheSame() throws {
    let name = try RouteFieldName("X-Token-Subject")
    for other in ["x-token-subject", "X_Token_Subject", "X-TOKEN_SUBJECT", "X.Token.Subject", "x!token~subject"] {
      #expect(try RouteFieldName(other) == name)
    }
    #expect(try RouteFieldName("X-TokenSubject") != name)
  }

  @Test func onlyTheNamedFieldsAreRemoved() throws {
    let names = RouteFieldNames([try RouteFieldName("X-Token-Subject"), try RouteFieldName("SM_USER")])
    var fields = HeaderFields()
    for (name, value) in [
      ("Accept", "1"), ("x-token-subject", "2"), ("X_Token.Subject", "3"), ("X-Token-Subjects", "4"), ("Sm-User", "5"), ("SM_USE", "6"),
    ] { try fields.append(name, value) }
    let left = try #require(names.removed(from: fields))
    #expect(left.map(\.value) == ["1", "4", "6"] && left.contains(.accept))
    #expect(names.removed(from: left) == nil)
    #expect(names.removed(from: HeaderFields()) == nil)
    // However long: lengths from 63 bytes on share a mark.
    let long = String(repeating: "x", count: 80)
    var others = HeaderFields()
    try others.append(long, "1")
    try others.append(long + "y", "2")
    #expect(try RouteFieldNames([RouteFieldName(long)]).removed(from: others)?.map(\.value) == ["2"])
  }
}
