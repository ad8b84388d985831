import NIOCore
import SallyportAuthentication
import SallyportCore
import SallyportLDAPSyntax
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportAuthenticationLDAP

/// `check --probe` of directories, against slapd.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ProbeTests {
  private func probe(_ configuration: LDAPConfiguration) async -> [ProbeFinding] {
    await LDAPStore(configuration, logger: .silent).probe()
  }

  @Test func aDirectoryThatWouldDoSaysWhatItHas() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    let findings = await self.probe(try .of(server))
    #expect(
      findings == [
        .good("ldaps://127.0.0.1:\(server.tlsPort)", "is reached over TLS, admits the bindDN, has users.base, has groups.base")
      ])
    // StartTLS.
    let started = await self.probe(try .of(server, tls: false))
    #expect(started.map(\.isGood) == [true], "\(started)")
    try await server.stop()
  }

  @Test func whatIsWrongIsSaidInPlainWords() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    let password = await self.probe(try .of(server) { $0.serviceAccount?.password = Secret("wrong-password".utf8) })
    #expect(password.map(\.isGood) == [false])
    #expect(password[0].detail.contains("does not admit the bindDN \(DirectoryServer.service)"), "\(password)")
    #expect(!"\(password)".contains("wrong-password"))
    let base = await self.probe(
      try .of(server) {
        $0.users.place = .search(
          base: try .init(parsing: "ou=nobody,dc=example,dc=org"), scope: .subtree, filter: try .init(parsing: "(uid={username})"))
      })
    #expect(base.map(\.isGood) == [false] && base[0].detail.contains("has no entry ou=nobody,dc=example,dc=org (users.base)"), "\(base)")
    let groups = await self.probe(
      try .of(server) {
        $0.groups?.source = .search(
          base: try .init(parsing: "ou=none,dc=example,dc=org"), scope: .subtree, filter: try .init(parsing: "(member={dn})"))
      })
    #expect(groups.map(\.isGood) == [false] && groups[0].detail.contains("(groups.base)"), "\(groups)")
    // Somebody else's authority, and nobody there: each server is looked at by itself.
    let other = try TestPKI()
    let files = TemporaryDirectory()
    let authority = try files.write(other.clientAuthority.certificatePEM, to: "other.pem")
    let foreign = await self.probe(try .of(server) { $0.encryption = .tls(caFile: authority) })
    #expect(foreign.map(\.isGood) == [false] && foreign[0].detail.contains("cannot be reached"), "\(foreign)")
    let configuration = try LDAPConfiguration.of(server) {
      $0.servers.insert(.init(scheme: .ldaps, host: "127.0.0.1", port: 1), at: 0)
    }
    let two = await self.probe(configuration)
    #expect(two.map(\.isGood) == [false, true] && two[0].subject == "ldaps://127.0.0.1:1", "\(two)")
    try await server.stop()
  }
}
