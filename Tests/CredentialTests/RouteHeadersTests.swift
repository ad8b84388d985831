import Foundation
import NIOCore
@_spi(Authenticator) @_spi(CertificateVerifier) import SallyportCore
import SallyportCredential
import SallyportTemplates
import SallyportWire
import Testing

@Suite struct RouteHeadersTests {
  private func headers(_ settings: KeyValuePairs<String, String>, removed: [String] = []) throws -> RouteHeaders {
    RouteHeaders(
      route: "api",
      settings: try settings.map { .init(name: try RouteFieldName($0.key), template: try Template($0.value, .line)) },
      removed: try removed.map { try RouteFieldName($0) })
  }

  private func lines(
    _ headers: RouteHeaders, _ identity: Identity?, on connection: ConnectionFacts? = nil, memory: ConnectionMemory? = nil
  ) throws -> String {
    String(
      buffer: try headers.fields(
        for: identity.map { .identity($0) } ?? .anonymous, on: connection, memory: memory, auditID: "id-1"
      ).lines)
  }

  private let token = Identity(
    username: "alice", uid: "u1", groups: ["dev", "ops"], extra: [.init(key: "example.org/team", values: ["blue", "red"])], method: .jwt,
    token: .init(
      issuer: "https://idp", audiences: [], scopes: [],
      stated: ["sub": .text("a-1"), "roles": .list(["r1", "r2"]), "name": .text("Änne")]))

  @Test func everythingThatIsKnownOfAUserCanBeSaid() throws {
    let headers = try self.headers([
      "X-User": "{{user}}", "X-Uid": "{{uid}}", "X-Groups": "{{groups}}",
      "X-Team": "{{#extra.example.org/team}}{{.}};{{/extra.example.org/team}}",
      "X-Sub": "{{claims.sub}}", "X-Roles": "{{claims.roles}}", "X-Name": "{{claims.name}}", "X-Route": "{{route}}", "X-Id": "{{auditID}}",
    ])
    #expect(
      try self.lines(headers, self.token)
        == "X-User: alice\r\nX-Uid: u1\r\nX-Groups: dev,ops\r\nX-Team: blue;red;\r\nX-Sub: a-1\r\nX-Roles: r1,r2\r\nX-Name: Änne\r\n"
        + "X-Route: api\r\nX-Id: id-1\r\n")
    #expect(try self.lines(headers, .of("bob", groups: [])) == "X-User: bob\r\nX-Route: api\r\nX-Id: id-1\r\n")
    #expect(try self.lines(headers, nil) == "X-Route: api\r\nX-Id: id-1\r\n")
  }

  @Test func aCertificateIsSpokenOfWhereItProvedTheUser() throws {
    let certificate = VerifiedCertificate(
      der: [], fingerprint: "f0", commonNames: [], organizations: [],
      alternativeNames: .init(emails: ["a@example.org"], uris: ["spiffe://a"], dnsNames: []), subject: "CN=alice,O=dev", serial: "0a",
      issuer: "CN=CA", notBefore: .distantPast, notAfter: .distantFuture)
    let connection = ConnectionFacts(
      listener: "main", clientAddress: ClientAddress(ip: "192.0.2.1", port: 1), isTrustedPeer: false, tlsVersion: nil, serverName: nil,
      clientCertificate: certificate)
    let headers = try self.headers([
      "X-Subject": "{{certificate.subject}}", "X-Issuer": "{{certificate.issuer}}",
      "X-Serial": "{{certificate.serial}}/{{certificate.fingerprint}}",
      "X-Sans": "{{certificate.sans}}", "X-Mail": "{{certificate.sans.email}}", "X-Dns": "{{certificate.sans.dns}}",
    ])
    #expect(
      try self.lines(headers, .of(method: .clientCertificate), on: connection)
        == "X-Subject: CN=alice,O=dev\r\nX-Issuer: CN=CA\r\nX-Serial: 0a/f0\r\nX-Sans: a@example.org,spiffe://a\r\nX-Mail: a@example.org\r\n"
    )
    // One that a browser shows beside a password is nobody's word for the user.
    #expect(try self.lines(headers, .of(), on: connection) == "")
  }

  @Test func whatDependsOnTheUserAloneIsRememberedWithHim() throws {
    let (headers, memory) = (try self.headers(["X-User": "{{user}}"]), ConnectionMemory())
    func fields(_ headers: RouteHeaders, _ identity: Identity) throws -> RouteFields {
      try headers.fields(for: .identity(identity), on: nil, memory: memory, auditID: "id")
    }
    let first = try fields(headers, self.token)
    #expect(try fields(headers, self.token) === first)
    // The same name is not the same user, and other rules say something else.
    let other = Identity.of("alice")
    #expect(try fields(headers, other) !== first)
    let changed = try self.headers(["X-User": "{{user}}!"])
    #expect(String(buffer: try fields(changed, other).lines) == "X-User: alice!\r\n")
    // What changes with each request is made for each.
    let each = try self.headers(["X-User": "{{user}}", "X-Id": "{{auditID}}"])
    for id in ["1", "2"] {
      let fields = try each.fields(for: .identity(self.token), on: nil, memory: memory, auditID: id)
      #expect(String(buffer: fields.lines) == "X-User: alice\r\nX-Id: \(id)\r\n")
    }
  }

  @Test(arguments: ["a\r\nX-Admin: 1", "a\nb", "a\u{0}b", " a", "a ", "a\u{7F}b", "a\u{2028}b", String(repeating: "x", count: 8193)])
  func aValueThatCannotStandThereEndsTheRequest(_ value: String) throws {
    let headers = try self.headers(["X-Sub": "{{claims.sub}}"])
    let identity = Identity(
      username: "alice", groups: [], method: .jwt, token: .init(issuer: "i", audiences: [], scopes: [], stated: ["sub": .text(value)]))
    let refusal = problem { _ = try self.lines(headers, identity) }
    #expect(refusal?.code == "headerNotWritable" && refusal?.status == 403)
    #expect(refusal?.detail.contains("X-Sub") == true && refusal?.detail.contains("Admin") == false)
  }

  /// Two groups with a comma between them, and one that holds a comma, are the same to whoever splits them.
  @Test func aGroupWithACommaIsNotListed() throws {
    let identity = Identity.of(groups: ["dev,admin"])
    #expect(problem { _ = try self.lines(try self.headers(["X-Groups": "{{groups}}"]), identity) }?.code == "headerNotWritable")
    #expect(try self.lines(try self.headers(["X-Groups": "{{#groups}}{{.}};{{/groups}}"]), identity) == "X-Groups: dev,admin;\r\n")
  }

  @Test func blanksOfTheTemplateAreTrimmed() throws {
    #expect(try self.lines(try self.headers(["X-Groups": " {{#groups}}{{.}} {{/groups}}"]), self.token) == "X-Groups: dev ops\r\n")
    #expect(try self.lines(try self.headers(["X-None": " {{#claims.other}}{{.}}{{/claims.other}} "]), self.token) == "")
  }

  @Test func namesAreThoseThatAreSetAndRemoved() throws {
    let headers = try self.headers(["X-Sub": "{{claims.other}}"], removed: ["Cookie"])
    let fields = try headers.fields(for: .identity(self.token), on: nil, memory: nil, auditID: "")
    #expect(fields.lines.readableBytes == 0)
    var sent = HeaderFields()
    for name in ["x_sub", "cookie", "accept"] { try sent.append(name, "1") }
    #expect(fields.names.removed(from: sent)?.map(\.name) == ["accept"])
  }
}
