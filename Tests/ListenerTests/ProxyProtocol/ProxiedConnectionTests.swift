import NIOCore
import SallyportCore
import SallyportListener
import TestSupport
import Testing

/// Connections behind a proxy that says whose they are, over real sockets.
@Suite(.timeLimit(.minutes(5))) struct ProxiedConnectionTests {
  /// The proxy's addresses are those of this machine.
  private static let here = "127.0.0.0/8"

  private func fixture(
    trusting range: String = Self.here, tls: Bool = true, change: (inout ListenerConfiguration) -> Void = { _ in }
  ) async throws -> ListenerFixture {
    let ranges = [try AddressRange(range), try AddressRange("192.0.2.0/24")]
    return try await ListenerFixture.start(
      tls: tls,
      change: {
        $0.trustedPeers = ranges
        $0.expectsProxyHeader = true
        change(&$0)
      })
  }

  private func connect(_ fixture: ListenerFixture, _ header: [UInt8], tls: Bool = true) async throws -> RawTLSClient {
    try await RawTLSClient.connect(
      port: fixture.port, tls: tls ? .init(roots: try fixture.pki.serverAuthority.trustRoots()) : nil, preface: ByteBuffer(bytes: header))
  }

  /// Whose connection the listener takes it for, and whether it is a trusted peer's.
  private func from(_ client: RawTLSClient) async throws -> String {
    try await client.send("GET /from HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return try await client.readToEnd().split(separator: "\r\n\r\n", maxSplits: 1).last.map(String.init) ?? ""
  }

  @Test(arguments: [true, false]) func theHeadersAddressIsTheClients(tls: Bool) async throws {
    let fixture = try await self.fixture(tls: tls)
    for (header, says) in ProxyHeaderSample.good where says != "itself" {
      #expect(try await self.from(self.connect(fixture, header, tls: tls)) == "\(says) false")
    }
    await fixture.listener.close()
  }

  @Test func aListedAddressInTheHeaderIsATrustedPeers() async throws {
    let fixture = try await self.fixture()
    let header = ProxyHeaderSample.v1("PROXY TCP4 192.0.2.9 198.51.100.1 40000 8443")
    #expect(try await self.from(self.connect(fixture, header)) == "192.0.2.9:40000 true")
    await fixture.listener.close()
  }

  @Test func aProxyThatSpeaksForItselfIsAPeerOfItsOwnAndIsNotTrusted() async throws {
    let fixture = try await self.fixture()
    for header in [ProxyHeaderSample.v1("PROXY UNKNOWN"), ProxyHeaderSample.v2(0x20, 0, [])] {
      let from = try await self.from(self.connect(fixture, header))
      #expect(from.hasPrefix("127.0.0.1:") && from.hasSuffix(" false"), "\(from)")
    }
    await fixture.listener.close()
  }

  @Test(arguments: [0, 8]) func aHeaderComesInPieces(sample: Int) async throws {
    let fixture = try await self.fixture(tls: false)
    let client = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    for byte in ProxyHeaderSample.good[sample].bytes {
      try await client.send(ByteBuffer(bytes: [byte]))
      try await Task.sleep(for: .milliseconds(2))
    }
    #expect(try await self.from(client) == "\(ProxyHeaderSample.good[sample].says) false")
    await fixture.listener.close()
  }

  @Test func aTrustedPeerWithoutAHeaderIsClosedAndReported() async throws {
    let fixture = try await self.fixture()
    await #expect(throws: (any Error).self) { try await fixture.connect() }
    #expect(await fixture.receiver.first { _ in true } == .failed(code: "proxyHeaderMissing", detail: ""))
    await fixture.listener.close()
  }

  @Test func aMalformedHeaderIsClosedAndReported() async throws {
    let fixture = try await self.fixture()
    for header in ProxyHeaderSample.malformed {
      let client = try await RawTLSClient.connect(port: fixture.port, tls: nil)
      try? await client.send(ByteBuffer(bytes: header))
      _ = try await client.readToEnd()
      #expect(await fixture.receiver.nextFailure() == "proxyHeaderMalformed")
    }
    await fixture.listener.close()
  }

  @Test func halfAHeaderIsCutWhenTheHandshakesTimeIsOver() async throws {
    let fixture = try await self.fixture { $0.timeouts.handshake = .milliseconds(300) }
    let silent = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    #expect(try await silent.readToEnd() == "")
    let client = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await client.send("PROXY TCP4 203.0.113.7 ")
    #expect(try await client.readToEnd() == "")
    #expect(await fixture.receiver.first { _ in true } == .failed(code: "proxyHeaderTimedOut", detail: ""))
    await fixture.listener.close()
  }

  @Test func theHandshakeBehindAHeaderHasNoTimeOfItsOwn() async throws {
    let fixture = try await self.fixture { $0.timeouts.handshake = .milliseconds(300) }
    let client = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await client.send("PROXY TCP4 203.0.113.7 198.51.100.1 40000 8443\r\n\u{16}\u{03}\u{01}")
    #expect(try await client.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "tlsHandshakeTimedOut")
    await fixture.listener.close()
  }

  @Test func aConnectionThatEndsWithinItsHeaderIsReportedAndAKnockIsNot() async throws {
    let fixture = try await self.fixture()
    let knock = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    await knock.close()
    let half = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await half.send("PROXY ")
    await half.close()
    #expect(await fixture.receiver.first { _ in true } == .failed(code: "proxyHeaderMalformed", detail: "the connection ended within it"))
    await fixture.listener.close()
  }

  // MARK: Everybody else

  @Test func whoIsNotListedConnectsWithoutAHeader() async throws {
    let fixture = try await self.fixture(trusting: "10.0.0.0/8")
    #expect(try await self.from(fixture.connect()).hasPrefix("127.0.0.1:"))
    await fixture.listener.close()
  }

  @Test func whoIsNotListedMaySendNone() async throws {
    for expects in [true, false] {
      let fixture = try await self.fixture(trusting: "10.0.0.0/8") { $0.expectsProxyHeader = expects }
      for header in [ProxyHeaderSample.good[0].bytes, ProxyHeaderSample.v2(ProxyHeaderSample.ipv4)] {
        await #expect(throws: (any Error).self) { try await self.connect(fixture, header) }
        #expect(await fixture.receiver.nextFailure() == "proxyHeaderNotAllowed")
      }
      await fixture.listener.close()
    }
  }

  @Test func aSecondHeaderIsNone() async throws {
    let fixture = try await self.fixture()
    await #expect(throws: (any Error).self) {
      try await self.connect(fixture, ProxyHeaderSample.good[0].bytes + ProxyHeaderSample.good[0].bytes)
    }
    #expect(await fixture.receiver.nextFailure() == "proxyHeaderNotAllowed")
    await fixture.listener.close()
  }

  // MARK: Limits

  @Test func connectionsAreCountedByTheAnnouncedAddress() async throws {
    let fixture = try await self.fixture(tls: false) { $0.connections.perAddress = 1 }
    let one = ProxyHeaderSample.v1("PROXY TCP4 203.0.113.1 198.51.100.1 1 2")
    let other = ProxyHeaderSample.v1("PROXY TCP4 203.0.113.2 198.51.100.1 1 2")
    var open: [RawTLSClient] = []
    for header in [one, other] {
      let client = try await self.connect(fixture, header, tls: false)
      try await client.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
      _ = try await client.read(until: "\r\n\r\n")
      open.append(client)
    }
    let third = try await self.connect(fixture, one, tls: false)
    #expect(try await third.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "tooManyConnectionsFromAddress")
    // Who goes makes room.
    try await open[0].send("GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    _ = try await open[0].readToEnd()
    while fixture.listener.connectionCount > 1 { await Task.yield() }
    #expect(try await self.from(self.connect(fixture, one, tls: false)) == "203.0.113.1:1 false")
    await fixture.listener.close()
  }

  @Test func aListenerThatEndsDoesNotWaitForHeaders() async throws {
    let fixture = try await self.fixture()
    let client = try await RawTLSClient.connect(port: fixture.port, tls: nil)
    try await client.send("PROXY ")
    while fixture.listener.connectionCount == 0 { await Task.yield() }
    await fixture.listener.close()
    #expect(try await client.readToEnd() == "")
    #expect(fixture.listener.connectionCount == 0)
  }
}
