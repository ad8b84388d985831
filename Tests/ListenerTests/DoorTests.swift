import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SallyportCore
import SallyportListener
import SallyportPKI
import TestSupport
import Testing

/// Who gets as far as a request at all.
@Suite(.timeLimit(.minutes(5))) struct DoorTests {
  @Test func tls11IsRefused() async throws {
    let fixture = try await ListenerFixture.start()
    await #expect(throws: (any Error).self) {
      try await fixture.connect {
        $0.minimumVersion = .tlsv1
        $0.maximumVersion = .tlsv11
      }
    }
    #expect(await fixture.receiver.nextFailure() == "tlsHandshakeFailed")
    await fixture.listener.close()
  }

  @Test func tls12IsRefusedWhere13IsTheMinimum() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.tls?.minimumVersion = .tls13 })
    await #expect(throws: (any Error).self) { try await fixture.connect { $0.maximumVersion = .tlsv12 } }
    #expect(try await fixture.facts(of: fixture.connect()).hasPrefix("nobody TLSv1.3 "))
    await fixture.listener.close()
  }

  @Test func theOldVersionsStayRefusedAfterAReload() async throws {
    let fixture = try await ListenerFixture.start()
    try fixture.listener.replaceTLS(ListenerFixture.files(fixture.pki, in: fixture.directory, clientCA: nil))
    try fixture.listener.refreshTLS()
    await #expect(throws: (any Error).self) {
      try await fixture.connect {
        $0.minimumVersion = .tlsv1
        $0.maximumVersion = .tlsv11
      }
    }
    await fixture.listener.close()
  }

  @Test func aCipherWithoutForwardSecrecyIsRefused() async throws {
    let fixture = try await ListenerFixture.start()
    let client = OpenSSLClient(directory: fixture.directory, port: fixture.port)
    let outcome = try await client.facts(withCertificate: false, "-tls1_2", "-cipher", "AES128-GCM-SHA256")
    #expect(outcome.body == "")
    #expect(await fixture.receiver.nextFailure() == "tlsHandshakeFailed")
    await fixture.listener.close()
  }

  @Test func aClientWithoutTLSGetsNothingAndIsReported() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(try await client.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "plaintextOnTLSPort")
    await fixture.listener.close()
  }

  @Test func aHandshakeThatTakesTooLongIsCutAndReported() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.handshake = .seconds(3) })
    let client = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await client.send("\u{16}\u{03}\u{01}")
    #expect(try await client.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "tlsHandshakeTimedOut")
    await fixture.listener.close()
  }

  @Test func aPortThatIsOnlyKnockedAtIsNoFailure() async throws {
    let fixture = try await ListenerFixture.start()
    let knock = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    await knock.close()
    let plain = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await plain.send("x")
    #expect(await fixture.receiver.first { _ in true } == .failed(code: "plaintextOnTLSPort", detail: ""))
    await fixture.listener.close()
  }

  @Test func aServerNameIsKnownInLowerCase() async throws {
    let fixture = try await ListenerFixture.start()
    let client = OpenSSLClient(directory: fixture.directory, port: fixture.port)
    #expect(try await client.facts(withCertificate: false, "-servername", "API.Example.ORG").body.contains(" api.example.org "))
    #expect(try await fixture.facts(of: fixture.connect { $0.serverName = nil }) == "nobody TLSv1.3 - false")
    await fixture.listener.close()
  }

  @Test func aListenedPeerIsTrusted() async throws {
    let ranges = [try AddressRange("192.0.2.0/24"), try AddressRange("127.0.0.0/8")]
    let fixture = try await ListenerFixture.start(change: { $0.trustedPeers = ranges })
    #expect(try await fixture.facts(of: fixture.connect()).hasSuffix(" true"))
    await fixture.listener.close()
  }

  // MARK: Limits

  @Test func anAddressHasSoManyConnectionsAndNoMore() async throws {
    let fixture = try await ListenerFixture.start(tls: false, change: { $0.connections.perAddress = 2 })
    let first = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    let second = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    for client in [first, second] {
      try await client.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
      _ = try await client.read(until: "\r\n\r\n")
    }
    let third = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    #expect(try await third.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "tooManyConnectionsFromAddress")
    // Who goes makes room.
    try await first.send("GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    _ = try await first.readToEnd()
    while fixture.listener.connectionCount > 1 { await Task.yield() }
    let fourth = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await fourth.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(try await fourth.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
    await fixture.listener.close()
  }

  @Test func aListenerHasSoManyConnectionsAndNoMore() async throws {
    let fixture = try await ListenerFixture.start(tls: false, change: { $0.connections.total = 1 })
    let first = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await first.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
    _ = try await first.read(until: "\r\n\r\n")
    let second = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    #expect(try await second.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "tooManyConnections")
    await fixture.listener.close()
  }

  // MARK: Faults at the start

  private func problem(_ change: (inout ListenerConfiguration, TestPKI, TemporaryDirectory) throws -> Void) async throws -> Problem? {
    let pki = try TestPKI()
    let directory = TemporaryDirectory()
    var configuration = ListenerConfiguration(
      name: "main", host: "127.0.0.1", port: 0, tls: try ListenerFixture.files(pki, in: directory, clientCA: pki.clientAuthority))
    try change(&configuration, pki, directory)
    do {
      let listener = try await Listener.start(
        configuration, receiver: TestReceiver(), group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
      await listener.close()
      return nil
    } catch {
      return error
    }
  }

  @Test func aMissingFileIsNamed() async throws {
    let problem = try await self.problem { configuration, _, _ in configuration.tls?.certificateFile = "/nowhere/server.pem" }
    #expect(problem == ListenerProblem.fileUnreadable)
    #expect(problem?.detail == "/nowhere/server.pem: there is no such file")
  }

  @Test func aKeyOfAnotherCertificateIsNamed() async throws {
    let problem = try await self.problem { configuration, pki, directory in
      configuration.tls?.privateKeyFile = try directory.write(pki.frontProxy.privateKeyPEM, to: "other.key")
    }
    #expect(problem == ListenerProblem.keyMismatch)
    #expect(problem?.detail.contains("other.key is not the key of the first certificate in ") == true)
  }

  @Test func aFileWithoutACertificateIsNamed() async throws {
    let problem = try await self.problem { configuration, pki, directory in
      configuration.tls?.certificateFile = try directory.write(pki.server.privateKeyPEM, to: "wrong.pem")
    }
    #expect(problem == ListenerProblem.certificateUnusable)
    #expect(problem?.detail.hasSuffix("wrong.pem: holds no PEM block CERTIFICATE") == true)
  }

  @Test func brokenPEMIsNamed() async throws {
    let problem = try await self.problem { configuration, _, directory in
      configuration.tls?.clientCAFile = try directory.write(
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", to: "broken.pem")
    }
    #expect(problem == ListenerProblem.clientCAUnusable)
    #expect(problem?.detail.contains("broken.pem: ") == true)
  }

  @Test func anEncryptedKeyIsNamedForWhatItIs() async throws {
    let problem = try await self.problem { configuration, _, directory in
      configuration.tls?.privateKeyFile = try directory.write(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n", to: "locked.key")
    }
    #expect(problem == ListenerProblem.keyUnusable)
    #expect(problem?.detail.hasSuffix("locked.key: the private key is encrypted; a key without a passphrase is needed") == true)
  }

  @Test func aPortInUseIsNamed() async throws {
    let fixture = try await ListenerFixture.start()
    let port = fixture.port
    let problem = try await self.problem { configuration, _, _ in configuration.port = port }
    #expect(problem == ListenerProblem.addressInUse)
    #expect(problem?.detail == "listener main: 127.0.0.1:\(port) is in use by another program")
    await fixture.listener.close()
  }

  @Test func aFaultyReloadLeavesThePresentGeneration() async throws {
    let fixture = try await ListenerFixture.start()
    var files = try ListenerFixture.files(fixture.pki, in: fixture.directory, clientCA: fixture.pki.clientAuthority)
    files.clientCAFile = "/nowhere/ca.pem"
    #expect(throws: Problem.self) { try fixture.listener.replaceTLS(files) }
    #expect(try await fixture.facts(of: fixture.connect(as: fixture.pki.client("alice"))).hasPrefix("alice "))
    await fixture.listener.close()
  }
}
