import Crypto
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import SallyportCore
import SallyportPKI
import SallyportWire
import TestSupport
import Testing

@testable import SallyportUpstream

/// Connections with certificates that come with the credential: each for its own identity, whatever happens.
@Suite(.serialized, .timeLimit(.minutes(5))) struct MintedCertificateTests {
  private let bench: Bench

  init() throws { self.bench = try Bench() }

  /// Somebody with a certificate as the credential station would make it.
  private struct Person: Sendable {
    let name: String
    let identity: UpstreamCredential.ConnectionIdentity
    let certificate: PresentedCertificate

    init(_ name: String, _ pki: TestPKI, ends: NIODeadline = .distantFuture) throws {
      self.name = name
      let issued = try pki.client(name)
      let der = try issued.leaf().toDERBytes()
      let key = issued.privateKeyPEM.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
      self.identity = .init(certificateFingerprint: SHA256.hash(data: der).map { String(format: "%02x", $0) }.joined())
      self.certificate = PresentedCertificate(
        chain: [der], key: PresentedKey(der: Secret(try #require(Data(base64Encoded: key)))), ends: ends)
    }

    func request(_ target: String = "/api/v1/pods") throws -> CredentialedRequest {
      try credentialed(.get, target, credential: "X-Identity: \(self.name)\r\n", identity: self.identity, certificate: self.certificate)
    }
  }

  private func server(_ script: @escaping ScriptedServer.Script) async throws -> ScriptedServer {
    try await self.bench.server(clientRoots: try self.bench.pki.clientAuthority.trustRoots(), script)
  }

  /// Many people at once over several event loops, each with few connections and fewer places than people; answers that are
  /// late, that end the connection or break off; requests that are given up. Whatever reaches the server came on a
  /// connection of the one who sent it.
  @Test func noRequestEverTravelsOnAnothersConnection() async throws {
    let server = try await self.server { moment, peer in
      guard case .end = moment else { return }
      switch Int.random(in: 0..<10) {
      case 0: peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
      case 1: peer.cut()
      case 2: peer.close()
      case 3, 4: _ = peer.channel.eventLoop.scheduleTask(in: .milliseconds(Int64.random(in: 1...30))) { peer.send(okay) }
      default: peer.send(okay)
      }
    }
    var configuration = self.bench.configuration([server])
    configuration.maximumIdentitiesPerEventLoop = 3
    configuration.maximumConnectionsPerEventLoop = 2
    let upstream = try self.bench.upstream(configuration)
    let people = try (0..<12).map { try Person("person-\($0)", self.bench.pki) }
    let answered = await withTaskGroup(of: Int.self) { group in
      for worker in 0..<16 {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        group.addTask {
          var answered = 0
          for number in 0..<40 {
            guard let person = people.randomElement(), let request = try? person.request("/\(person.name)/\(worker)/\(number)") else {
              continue
            }
            let exchange = TestExchange(upstream, request, on: eventLoop)
            if Int.random(in: 0..<8) == 0 {
              try? await Task.sleep(for: .milliseconds(Int.random(in: 0...5)))
              exchange.cancel()
              continue
            }
            if await exchange.end().text == "ok" { answered += 1 }
          }
          return answered
        }
      }
      return await group.reduce(0, +)
    }
    let requests = server.log.value.requests
    #expect(answered > 200 && requests.count >= answered)
    let fingerprints = Dictionary(uniqueKeysWithValues: people.map { ($0.name, $0.identity.certificateFingerprint) })
    for request in requests {
      let name = try #require(request.head.firstMatch(of: /\r\nX-Identity: ([^\r]+)\r\n/)).1
      #expect(request.certificate == fingerprints[String(name)] && request.head.hasPrefix("GET /\(name)/"))
    }
    // And on one connection never two.
    for (connection, ofOne) in Dictionary(grouping: requests, by: \.connection) {
      #expect(Set(ofOne.map(\.certificate)).count == 1, "connection \(connection)")
    }
  }

  @Test func whatIsNotTheCertificateThatTheCredentialNamesIsNotPresented() async throws {
    let server = try await self.server(always(okay))
    let upstream = try self.bench.upstream(server)
    let (alice, bob) = (try Person("alice", self.bench.pki), try Person("bob", self.bench.pki))
    let crossed = try credentialed(identity: alice.identity, certificate: bob.certificate)
    #expect(await self.bench.answer(upstream, crossed).problem == .upstreamRequestUnfit)
    let foreignKey = PresentedCertificate(chain: alice.certificate.chain, key: bob.certificate.key, ends: .distantFuture)
    #expect(
      await self.bench.answer(upstream, try credentialed(identity: alice.identity, certificate: foreignKey)).problem
        == .upstreamRequestUnfit)
    let ended = try Person("carol", self.bench.pki, ends: .now() - .seconds(1))
    #expect(await self.bench.answer(upstream, try ended.request()).problem == .upstreamRequestUnfit)
    #expect(server.log.value.connections == 0)
    #expect(await self.bench.answer(upstream, try alice.request()).text == "ok")
  }

  @Test func aServerWithoutTLSGetsNoneOfIt() async throws {
    let server = try await ScriptedServer(certificate: nil, script: always(okay))
    let upstream = try self.bench.upstream(self.bench.configuration([server], tls: false))
    #expect(await self.bench.answer(upstream, try Person("alice", self.bench.pki).request()).problem == .upstreamRequestUnfit)
    #expect(server.log.value.connections == 0)
  }

  /// More people than places: those who were here longest ago give up their connections, and who comes back gets new ones.
  @Test func manyIdentitiesDoNotExhaustDescriptors() async throws {
    let server = try await self.server(always(okay))
    var configuration = self.bench.configuration([server])
    configuration.maximumIdentitiesPerEventLoop = 8
    let upstream = try self.bench.upstream(configuration)
    let people = try (0..<60).map { try Person("person-\($0)", self.bench.pki) }
    for person in people + people {
      #expect(await self.bench.answer(upstream, try person.request()).text == "ok")
      let open = await upstream.statistics().connections
      #expect(open <= 8)
    }
    #expect(await upstream.statistics().events.connected == 120)
    await server.log.reaches { $0.connections - $0.closedConnections.count <= 8 }
    // Who has just been here goes on as before.
    #expect(await self.bench.answer(upstream, try people[59].request()).text == "ok")
    #expect(await upstream.statistics().events.connected == 120)
  }

  /// What 5,000 identities cost: contexts are bounded, small, and gone when their certificates end.
  @Test func aContextForEachIdentityIsSmallAndBounded() throws {
    let configuration = UpstreamConfiguration(
      name: "test", servers: [.init(host: "127.0.0.1", port: 6443)], rootsFile: self.bench.rootsFile)
    let roots = try NIOSSLCertificate.fromPEMFile(self.bench.rootsFile)
    let endpoints = MintedEndpoints(configuration, trusting: .certificates(roots), capacity: 5_000)
    // One leaf that stands for all: what differs is the pool's key, which the check against the leaf is made by.
    let person = try Person("x", self.bench.pki)
    let before = Self.residentBytes()
    let now = NIODeadline.now()
    var made = 0
    for number in 0..<6_000 {
      // Bytes behind the leaf make another fingerprint; the parser does not look at them.
      let der = (person.certificate.chain.first ?? []) + withUnsafeBytes(of: number) { Array($0) }
      let certificate = PresentedCertificate(
        chain: [der], key: person.certificate.key, ends: number < 3_000 ? now + .seconds(10) : now + .hours(1))
      let fingerprint = SHA256.hash(data: der).map { String(format: "%02x", $0) }.joined()
      let poolKey = PoolKey(upstream: "test", serverName: "", trustRoots: "", certificateFingerprint: fingerprint)
      if endpoints.endpoints(for: poolKey, presenting: certificate, at: now) != nil { made += 1 }
    }
    #expect(made == 6_000 && endpoints.count == 5_000)
    let bytes = (Self.residentBytes() - before) / 5_000
    #expect(bytes < 40_000, "\(bytes) bytes an identity")
    let last = PoolKey(
      upstream: "test", serverName: "", trustRoots: "", certificateFingerprint: person.identity.certificateFingerprint)
    #expect(endpoints.endpoints(for: last, presenting: person.certificate, at: now + .seconds(11)) != nil)
    #expect(endpoints.count == 3_001)
  }

  private static func residentBytes() -> Int {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first
    return (pages.flatMap { Int($0) } ?? 0) * 4096
  }
}
