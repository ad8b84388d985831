import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportPolicy
import SallyportWire
import Testing

/// What is denied before there are rules: impersonation where the route refuses it, and foreign pages.
@Suite struct AccessPolicyTests {
  static let identity = Subject.identity(Identity(username: "alice", groups: [], method: .clientCertificate))

  static func request(
    _ method: SallyportWire.Method, _ lines: [(String, String)], target: String = "/api/v1/namespaces/dev/pods/p"
  ) throws -> AuthenticatedRequest {
    var fields = HeaderFields()
    for (name, value) in lines { try fields.append(name, value) }
    let target = try RequestTarget(reading: ByteBuffer(string: target), for: method)
    let stripped = try StrippedRequest(stripping: RequestHead(method: method, target: target, fields: fields), fromTrustedPeer: false)
    return AuthenticatedRequest(stripped, reading: try RequestReading(stripped, as: .kubernetes), subject: Self.identity)
  }

  static func isAllowed(_ method: SallyportWire.Method, _ lines: [(String, String)], by policy: AccessPolicy = AccessPolicy()) throws
    -> Bool
  {
    policy.decide(try self.request(method, lines), from: ClientAddress(ip: "192.0.2.7", port: 1)) == .allow(rule: nil)
  }

  static let upgrade = [("Host", "gw.example.org"), ("Connection", "Upgrade"), ("Upgrade", "websocket")]

  @Test func aRouteMayRefuseImpersonation() throws {
    let lines = [("Host", "h"), ("Impersonate-User", "bob")]
    #expect(try Self.isAllowed(.get, lines))
    let decision = AccessPolicy(impersonation: .refuse).decide(try Self.request(.get, lines), from: ClientAddress(ip: "192.0.2.7", port: 1))
    guard case .deny(rule: nil, let message) = decision else {
      Issue.record("allowed")
      return
    }
    #expect(message.contains("--as"))
    #expect(try Self.isAllowed(.get, [("Host", "h")], by: AccessPolicy(impersonation: .refuse)))
  }

  @Test(arguments: [.post, .put, .patch, .delete, .other("PURGE")] as [SallyportWire.Method])
  func aForeignPageMayChangeNothing(_ method: SallyportWire.Method) throws {
    let host = ("Host", "gw.example.org")
    #expect(try Self.isAllowed(method, [host]))
    #expect(try Self.isAllowed(method, [host, ("Origin", "https://gw.example.org"), ("Sec-Fetch-Site", "same-origin")]))
    #expect(try !Self.isAllowed(method, [host, ("Origin", "https://evil.example")]))
    #expect(try !Self.isAllowed(method, [host, ("Sec-Fetch-Site", "cross-site")]))
  }

  @Test(arguments: [.get, .head, .options] as [SallyportWire.Method])
  func aForeignPageMayAskForWhatItCannotRead(_ method: SallyportWire.Method) throws {
    #expect(try Self.isAllowed(method, [("Host", "h"), ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]))
  }

  @Test func aForeignPageMayNotOpenAWebSocket() throws {
    #expect(try Self.isAllowed(.get, Self.upgrade))
    #expect(try Self.isAllowed(.get, Self.upgrade + [("Origin", "https://gw.example.org")]))
    #expect(try !Self.isAllowed(.get, Self.upgrade + [("Origin", "https://evil.example")]))
    #expect(try !Self.isAllowed(.get, Self.upgrade + [("Sec-Fetch-Site", "cross-site")]))
  }

  @Test(
    arguments: [
      ("gw.example.org", "https://gw.example.org"), ("GW.Example.Org", "https://gw.example.org"),
      ("gw.example.org:443", "https://gw.example.org"),
      ("gw.example.org", "https://gw.example.org:443"), ("gw.example.org:8443", "https://gw.example.org:8443"),
      ("[::1]:8443", "https://[::1]:8443"),
    ])
  func theSameOriginIsTheSameHostAndPort(_ host: String, _ origin: String) throws {
    #expect(try Self.isAllowed(.post, [("Host", host), ("Origin", origin)]))
  }

  @Test(
    arguments: [
      "null", "", "https://", "http://gw.example.org:8443", "https://gw.example.org", "https://gw.example.org:8444",
      "https://gw.example.org:8443.evil.example", "https://evil.example/gw.example.org:8443", "https://gw.example.org:8443/",
      "https://a@gw.example.org:8443", "https://sub.gw.example.org:8443", "gw.example.org:8443", "wss://gw.example.org:8443",
      "https://gw.example.org:8443 https://gw.example.org:8443",
    ])
  func everyOtherOriginIsForeign(_ origin: String) throws {
    #expect(try !Self.isAllowed(.post, [("Host", "gw.example.org:8443"), ("Origin", origin)]))
  }

  @Test(arguments: ["same-site", "cross-site", "Same-Origin", "", "same-origin, cross-site", "anything"])
  func everyOtherSiteIsForeign(_ site: String) throws {
    #expect(try !Self.isAllowed(.post, [("Host", "h"), ("Sec-Fetch-Site", site)]))
  }

  @Test func repeatedFieldsMustAllBeOurs() throws {
    let host = ("Host", "h")
    let own = ("Origin", "https://h")
    #expect(try !Self.isAllowed(.post, [host, own, own]))
    #expect(try !Self.isAllowed(.post, [host, own, ("Origin", "https://evil.example")]))
    #expect(try !Self.isAllowed(.post, [host, ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")]))
    #expect(try !Self.isAllowed(.post, [host, host, own]))
    #expect(try !Self.isAllowed(.post, [own]))
    #expect(try !Self.isAllowed(.post, [host, own, ("Sec-Fetch-Site", "cross-site")]))
  }

  @Test func aUserWhoTypesTheAddressIsNoForeigner() throws {
    #expect(try Self.isAllowed(.post, [("Host", "h"), ("Sec-Fetch-Site", "none")]))
  }
}
