import NIOCore
import NIOSSL
import SallyportCore
import SallyportPKI
import SallyportWire
import TestSupport
import Testing

import struct Foundation.Date

@testable import SallyportUpstream

@Suite(.timeLimit(.minutes(5))) struct TLSTests {
  private let bench: Bench

  init() throws { self.bench = try Bench() }

  /// Sends one request to a server with this certificate.
  private func answer(
    from certificate: TestCertificate, host: String = "127.0.0.1", serverName: String? = nil
  ) async throws -> TestExchange.Record {
    let server = try await ScriptedServer(certificate: certificate, script: always(okay))
    var configuration = self.bench.configuration([server], host: host)
    configuration.serverName = serverName
    let record = await self.bench.answer(try self.bench.upstream(configuration), try credentialed())
    if record.problem != nil { #expect(server.log.value.requests.isEmpty) }
    return record
  }

  @Test func aServerProvesItsAddress() async throws {
    let certificate = try self.bench.pki.server(names: ["127.0.0.1"])
    #expect(try await self.answer(from: certificate).text == "ok")
  }

  @Test func aServerProvesItsHostName() async throws {
    let certificate = try self.bench.pki.server(names: ["localhost"])
    #expect(try await self.answer(from: certificate, host: "localhost").text == "ok")
  }

  @Test func aServerProvesTheConfiguredName() async throws {
    let certificate = try self.bench.pki.server(names: ["kubernetes"])
    #expect(try await self.answer(from: certificate, serverName: "kubernetes").text == "ok")
  }

  @Test func anUnknownAuthorityIsRefusedWithTheCure() async throws {
    let other = try TestPKI()
    let problem = try #require(try await self.answer(from: other.server).problem)
    #expect(problem == .upstreamTLS)
    #expect(problem.status == 502)
    #expect(problem.blame == .operator)
    #expect(problem.detail.contains("roots.pem"))
    #expect(problem.detail.contains("caFile"))
    #expect(!problem.message.contains("127.0.0.1"))
  }

  @Test func anExpiredCertificateIsRefused() async throws {
    let expired = try self.bench.pki.server(names: ["127.0.0.1"]) {
      $0.notBefore = Date(timeIntervalSinceNow: -7200)
      $0.notAfter = Date(timeIntervalSinceNow: -3600)
    }
    #expect(try await self.answer(from: expired).problem == .upstreamTLS)
  }

  @Test func aClientsCertificateIsNoServers() async throws {
    let client = try self.bench.pki.client("127.0.0.1", signedBy: self.bench.pki.serverAuthority) { $0.ipAddresses = ["127.0.0.1"] }
    #expect(try await self.answer(from: client).problem == .upstreamTLS)
  }

  @Test func aServerThatDoesNotHoldItsAddressIsRefusedWithTheCure() async throws {
    let problem = try #require(try await self.answer(from: try self.bench.pki.server(names: ["kubernetes"])).problem)
    #expect(problem == .upstreamTLS)
    #expect(problem.detail.contains("serverName"))
  }

  @Test func aServerWithAnotherNameIsRefused() async throws {
    let certificate = try self.bench.pki.server(names: ["other.example.org"])
    let problem = try #require(try await self.answer(from: certificate, serverName: "kubernetes").problem)
    #expect(problem == .upstreamTLS)
    #expect(problem.detail.contains("kubernetes"))
  }

  @Test func theAddressDoesNotStandForTheConfiguredName() async throws {
    // The TLS library accepts this one: it would let a kubelet pass for the API server.
    let kubelet = try self.bench.pki.server(names: ["node-1", "127.0.0.1"])
    #expect(try await self.answer(from: kubelet, serverName: "kubernetes").problem == .upstreamTLS)
  }

  @Test func theCommonNameDoesNotStandForADNSName() async throws {
    let named = try self.bench.pki.server(names: ["127.0.0.1"]) { $0.commonName = "kubernetes" }
    #expect(try await self.answer(from: named, serverName: "kubernetes").problem == .upstreamTLS)
  }

  @Test func aServerWithoutTLSIsSaidSo() async throws {
    let server = try await ScriptedServer(certificate: nil) { _, peer in peer.send(okay) }
    let echo = await self.bench.answer(try self.bench.upstream(self.bench.configuration([server])), try credentialed())
    #expect(echo.problem == .upstreamTLS)
  }

  @Test func aServerThatRefusesOurCertificateIsSaidSo() async throws {
    let server = try await self.bench.server(clientRoots: try self.bench.pki.clientAuthority.trustRoots(), always(okay))
    let problem = try #require(await self.bench.answer(try self.bench.upstream(server), try credentialed()).problem)
    #expect(problem == .upstreamTLS)
    #expect(problem.detail.contains("client certificate"))
    #expect(server.log.value.requests.isEmpty)
  }

  @Test func theFingerprintOfAFileIsThatOfItsFirstCertificate() throws {
    let intermediate = try self.bench.pki.intermediateClientAuthority()
    let certificate = try self.bench.pki.client("alice", signedBy: intermediate)
    let path = try self.bench.directory.write(certificate.chainPEM, to: "chain.pem")
    let identity = try UpstreamCredential.ConnectionIdentity(certificateFile: path)
    let leaf = try self.bench.directory.write(certificate.issued.certificatePEM, to: "leaf.pem")
    #expect(try identity == UpstreamCredential.ConnectionIdentity(certificateFile: leaf))
    #expect(identity.certificateFingerprint.count == 64)
    #expect(identity.certificateFingerprint.allSatisfy { $0.isHexDigit && !$0.isUppercase })
  }
}

@Suite struct UpstreamConfigurationTests {
  private let bench: Bench

  init() throws { self.bench = try Bench() }

  /// The fault that a configuration is refused with.
  private func fault(_ change: (inout UpstreamConfiguration) throws -> Void) throws -> String {
    var configuration = UpstreamConfiguration(
      name: "kubernetes", servers: [.init(host: "10.0.0.1", port: 6443)], rootsFile: self.bench.rootsFile)
    try change(&configuration)
    let problem = #expect(throws: Problem.self) { _ = try self.bench.upstream(configuration) }
    #expect(problem == .upstreamConfiguration)
    return problem?.detail ?? ""
  }

  @Test func faultsNameFileOrSettingAndTheCure() throws {
    #expect(try self.fault { $0.servers = [] }.contains("no servers"))
    #expect(try self.fault { $0.rootsFile = "/nowhere/ca.pem" }.contains("/nowhere/ca.pem"))
    let junk = try self.bench.directory.write("junk", to: "junk.pem")
    let detail = try self.fault { $0.rootsFile = junk }
    #expect(detail.contains(junk))
    #expect(detail.contains("BEGIN CERTIFICATE"))
    #expect(try self.fault { $0.serverName = "10.0.0.1" }.contains("10.0.0.1: not a name"))
  }

  @Test func aKeyMustBelongToItsCertificate() throws {
    let alice = try self.bench.clientCertificate("alice")
    let bob = try self.bench.clientCertificate("bob")
    let mixed = UpstreamConfiguration.ClientCertificate(
      identity: alice.identity, certificateFile: alice.certificateFile, privateKeyFile: bob.privateKeyFile)
    let detail = try self.fault { $0.clientCertificates = [mixed] }
    #expect(detail.contains("alice.pem"))
    #expect(detail.contains("bob.key"))
    let missing = UpstreamConfiguration.ClientCertificate(
      identity: alice.identity, certificateFile: alice.certificateFile, privateKeyFile: "/nowhere/alice.key")
    #expect(try self.fault { $0.clientCertificates = [missing] }.contains("/nowhere/alice.key"))
  }

  @Test func aCertificateMustBeTheOneThatItsCredentialNames() throws {
    let alice = try self.bench.clientCertificate("alice")
    let other = UpstreamConfiguration.ClientCertificate(
      identity: .init(certificateFingerprint: String(repeating: "a", count: 64)), certificateFile: alice.certificateFile,
      privateKeyFile: alice.privateKeyFile)
    #expect(try self.fault { $0.clientCertificates = [other] }.contains("alice.pem"))
  }

  @Test func aClientCertificateNeedsTLS() throws {
    let alice = try self.bench.clientCertificate("alice")
    let detail = try self.fault {
      $0.servers = [.init(host: "10.0.0.1", port: 80, tls: false)]
      $0.clientCertificates = [alice]
    }
    #expect(detail.contains("http://10.0.0.1"))
    #expect(detail.contains("https://"))
  }

  @Test(arguments: [
    ("example.org", 443, true, "example.org"), ("example.org", 80, false, "example.org"), ("example.org", 80, true, "example.org:80"),
    ("10.0.0.1", 6443, true, "10.0.0.1:6443"), ("fd00::1", 6443, true, "[fd00::1]:6443"),
  ])
  func theAuthorityIsWhatHostSays(host: String, port: Int, tls: Bool, authority: String) {
    #expect(UpstreamConfiguration.Server(host: host, port: port, tls: tls).authority == authority)
  }
}
