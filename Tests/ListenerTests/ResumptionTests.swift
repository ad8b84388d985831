import NIOConcurrencyHelpers
import NIOSSL
import SallyportListener
import SallyportPKI
import TestSupport
import Testing

import struct Foundation.Date

/// Sessions that come back: quick for those who are still believed, worth nothing to the others.
@Suite(.timeLimit(.minutes(5))) struct ResumptionTests {
  struct Setting {
    let fixture: ListenerFixture
    let client: OpenSSLClient
  }

  /// A listener, and a client who holds one of its sessions, made with a certificate.
  private func start(_ version: String, now: @escaping @Sendable () -> Date = { Date() }) async throws -> Setting {
    let fixture = try await ListenerFixture.start(now: now)
    let client = OpenSSLClient(directory: fixture.directory, port: fixture.port)
    try client.write(try fixture.pki.client("alice"))
    let first = try await client.facts(withCertificate: true, version, "-sess_out", client.session)
    #expect(first.body.hasPrefix("alice "), "\(first.output)")
    #expect(!first.isResumed)
    return Setting(fixture: fixture, client: client)
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func aResumedSessionKeepsItsIdentity(_ version: String) async throws {
    let setting = try await self.start(version)
    let second = try await setting.client.facts(version, "-sess_in", setting.client.session)
    #expect(second.isResumed)
    #expect(second.body.hasPrefix("alice "))
    await setting.fixture.listener.close()
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func noSessionIsResumedInANewGeneration(_ version: String) async throws {
    let setting = try await self.start(version)
    try setting.fixture.listener.refreshTLS()
    let second = try await setting.client.facts(version, "-sess_in", setting.client.session)
    #expect(!second.isResumed)
    #expect(second.body.hasPrefix("alice "), "a full handshake makes a new session")
    await setting.fixture.listener.close()
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func aSessionOfADroppedAuthorityGivesNoIdentity(_ version: String) async throws {
    let setting = try await self.start(version)
    let fixture = setting.fixture
    try fixture.listener.replaceTLS(ListenerFixture.files(fixture.pki, in: fixture.directory, clientCA: nil))
    let second = try await setting.client.facts(withCertificate: false, version, "-sess_in", setting.client.session)
    #expect(!second.isResumed)
    #expect(second.body.hasPrefix("nobody "))
    await fixture.listener.close()
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func aSessionOfAReplacedAuthorityGivesNoIdentity(_ version: String) async throws {
    let setting = try await self.start(version)
    let fixture = setting.fixture
    let other = try CertificateAuthority(.authority("Another Client CA"))
    try fixture.listener.replaceTLS(ListenerFixture.files(fixture.pki, in: fixture.directory, clientCA: other))
    let second = try await setting.client.facts(withCertificate: false, version, "-sess_in", setting.client.session)
    #expect(second.body.hasPrefix("nobody "))
    let third = try await setting.client.facts(withCertificate: true, version, "-sess_in", setting.client.session)
    #expect(third.body == "")
    #expect(await fixture.receiver.nextFailure() == "clientCertificateUnknownIssuer")
    await fixture.listener.close()
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func aSessionIsWorthNothingAtAnotherListener(_ version: String) async throws {
    let setting = try await self.start(version)
    let other = try await ListenerFixture.start()
    let second = try await setting.client.facts(
      withCertificate: false, port: other.port, version, "-sess_in", setting.client.session)
    #expect(!second.isResumed)
    #expect(second.body.hasPrefix("nobody "))
    await setting.fixture.listener.close()
    await other.listener.close()
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func aSessionOutlivesNoCertificate(_ version: String) async throws {
    let clock = TestTime()
    let setting = try await self.start(version, now: { clock.now })
    clock.advance(by: 366 * 86400)
    let second = try await setting.client.facts(version, "-sess_in", setting.client.session)
    #expect(second.body == "")
    #expect(await setting.fixture.receiver.nextFailure() == "clientCertificateNotFresh")
    await setting.fixture.listener.close()
  }

  @Test func anAuthorityThatGoesDuringAHandshakeGivesNoIdentity() async throws {
    // The listener asks for the time when it begins to verify: the moment to take the authority away.
    let interruption = NIOLockedValueBox<(@Sendable () -> Void)?>(nil)
    let fixture = try await ListenerFixture.start(now: {
      let action = interruption.withLockedValue { action in
        defer { action = nil }
        return action
      }
      action?()
      return Date()
    })
    let files = try ListenerFixture.files(fixture.pki, in: fixture.directory, clientCA: nil)
    let listener = fixture.listener
    interruption.withLockedValue { $0 = { try? listener.replaceTLS(files) } }
    let alice = try await fixture.connect(as: fixture.pki.client("alice"))
    #expect(try await alice.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "clientCertificateNotFresh")
    await fixture.listener.close()
  }

  @Test func ticketsEndWithoutCostingAHandshakeThatIsUnderWay() async throws {
    let interruption = NIOLockedValueBox<(@Sendable () -> Void)?>(nil)
    let fixture = try await ListenerFixture.start(now: {
      let action = interruption.withLockedValue { action in
        defer { action = nil }
        return action
      }
      action?()
      return Date()
    })
    let listener = fixture.listener
    interruption.withLockedValue { $0 = { try? listener.refreshTLS() } }
    #expect(try await fixture.facts(of: fixture.connect(as: fixture.pki.client("alice"))).hasPrefix("alice "))
    await fixture.listener.close()
  }

  @Test func aConnectionWhoseAuthorityGoesEndsBehindItsRequest() async throws {
    let fixture = try await ListenerFixture.start()
    let alice = try await fixture.connect(as: fixture.pki.client("alice"))
    let nobody = try await fixture.connect()
    let request = "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for client in [alice, nobody] {
      try await client.send(request)
      _ = try await client.read(until: "\r\n\r\n")
    }
    // A renewed server certificate costs nobody a connection.
    let renewed = try fixture.pki.server(names: ["localhost"])
    try fixture.listener.replaceTLS(
      ListenerFixture.files(fixture.pki, in: fixture.directory, server: renewed, clientCA: fixture.pki.clientAuthority))
    try await alice.send(request)
    _ = try await alice.read(until: "\r\n\r\n")

    try fixture.listener.replaceTLS(ListenerFixture.files(fixture.pki, in: fixture.directory, clientCA: nil))
    #expect(try await alice.readToEnd() == "")
    try await nobody.send(request)
    _ = try await nobody.read(until: "\r\n\r\n")
    await fixture.listener.close()
  }
}
