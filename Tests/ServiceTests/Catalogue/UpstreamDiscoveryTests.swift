import NIOCore
import NIOPosix
import SallyportAuthentication
import SallyportCore
import SallyportCredential
import SallyportPKI
import SallyportPolicy
import SallyportPracticeCluster
import SallyportUpstream
import TestSupport
import Testing

@testable import SallyportService

/// The gateway's own questions to a practice cluster, over real connections.
@Suite struct UpstreamDiscoveryTests {
  private let directory = TemporaryDirectory()

  private func cluster(_ pki: TestPKI) async throws -> PracticeCluster {
    try await PracticeCluster.start(
      PracticeCluster.Configuration(
        serverCertificate: pki.server.chainPEM, serverKey: pki.server.privateKeyPEM,
        requestHeaderCA: pki.frontProxyAuthority.certificatePEM),
      group: MultiThreadedEventLoopGroup.singleton, logger: silent)
  }

  private func upstream(_ pki: TestPKI, port: Int) throws -> (Upstream, CredentialSource) {
    let certificate = try UpstreamConfiguration.ClientCertificate(
      certificateFile: try self.directory.write(pki.frontProxy.chainPEM, to: "front-proxy.pem"),
      privateKeyFile: try self.directory.write(pki.frontProxy.privateKeyPEM, to: "front-proxy.key"))
    let upstream = try Upstream(
      configuration: UpstreamConfiguration(
        name: "cluster", servers: [.init(host: "127.0.0.1", port: port)],
        rootsFile: try self.directory.write(pki.serverAuthority.certificatePEM, to: "roots.pem"), clientCertificates: [certificate]),
      group: MultiThreadedEventLoopGroup.singleton, logger: silent)
    let credential = RequestHeaderCredential(certificateFingerprint: certificate.identity.certificateFingerprint)
    return (upstream, .requestHeaders(credential))
  }

  private func discovery(_ upstream: Upstream, _ credential: CredentialSource) throws -> UpstreamDiscovery {
    UpstreamDiscovery(
      upstream: upstream, credential: credential,
      identity: try #require(.ownIdentity(username: "sallyport", groups: ["sallyport:discovery"])),
      eventLoop: MultiThreadedEventLoopGroup.singleton.next())
  }

  @Test func aClusterIsReadAsTheGatewaysOwnUserAndKeptWhenItIsGone() async throws {
    let pki = try TestPKI()
    let cluster = try await self.cluster(pki)
    let (upstream, credential) = try self.upstream(pki, port: cluster.port)
    let discovery = try self.discovery(upstream, credential)
    // The cluster makes its documents when they are first asked for, which an unoptimised build takes its time for.
    let limits = CatalogueSource.Limits(document: .seconds(300), refresh: .seconds(600))
    let source = try CatalogueSource.asking(
      upstream, credential: credential, limits: limits, eventLoop: discovery.eventLoop, logger: silent, onChange: { _ in })

    #expect(await source.refresh() == .complete(changed: true))
    let catalogue = try #require(source.catalogue)
    let asked = cluster.recordedRequests()
    #expect(asked.count == 1 + source.status.documents)
    #expect(asked.first?.requestURI == "/openapi/v3")
    #expect(asked.allSatisfy { $0.user == "sallyport" && $0.groups.contains("sallyport:discovery") && $0.status == 200 })
    let auditIDs = asked.flatMap { $0.headers.filter { $0.name.lowercased() == "audit-id" }.map(\.value) }
    #expect(auditIDs.count == asked.count && Set(auditIDs).count == asked.count)
    #expect(auditIDs.allSatisfy { $0.utf8.count == 36 })

    // What the server says in v2 is the same API.
    let v2 = try await discovery.get("/openapi/v2", ifNoneMatch: "", atMost: 1 << 25, within: .seconds(300))
    let whole = try OpenAPIReader().read(v2.body, name: "v2").catalogue
    #expect(Set(catalogue.operations) == Set(whole.operations))
    #expect(catalogue.kindsBySchema["io.k8s.api.core.v1.SecretList"]?.kind == "Secret")

    cluster.clearRecordedRequests()
    #expect(await source.refresh() == .complete(changed: false))
    #expect(cluster.recordedRequests().map(\.requestURI) == ["/openapi/v3"])

    await cluster.close()
    #expect(await source.refresh() == .failed)
    #expect(source.catalogue?.operations.count == catalogue.operations.count)
    upstream.close()
  }

  @Test func anAnswerBeyondTheLimitIsNotKept() async throws {
    let pki = try TestPKI()
    let cluster = try await self.cluster(pki)
    let (upstream, credential) = try self.upstream(pki, port: cluster.port)
    let discovery = try self.discovery(upstream, credential)
    await #expect(throws: Problem.discoveryTooLarge) {
      try await discovery.get("/openapi/v2", ifNoneMatch: "", atMost: 100, within: .seconds(300))
    }
    // The connection that was given up takes nothing with it.
    #expect(try await discovery.get("/version", ifNoneMatch: "", atMost: 10_000, within: .seconds(300)).status == 200)
    upstream.close()
    await cluster.close()
  }

  @Test func anAnswerThatDoesNotComeIsNotWaitedFor() async throws {
    let pki = try TestPKI()
    // Accepts connections and says nothing, not even in TLS.
    let mute = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
    let (upstream, credential) = try self.upstream(pki, port: mute.localAddress?.port ?? 0)
    let discovery = try self.discovery(upstream, credential)
    await #expect(throws: Problem.discoveryTimeout) {
      try await discovery.get("/openapi/v3", ifNoneMatch: "", atMost: 100, within: .milliseconds(200))
    }
    upstream.close()
    try await mute.close()
  }

  @Test(arguments: [("", []), ("system:masters", []), ("sallyport", ["system:masters"]), ("sallyport", [""])] as [(String, [String])])
  func theGatewayIsNobodyOfKubernetesOwn(username: String, groups: [String]) {
    #expect(Identity.ownIdentity(username: username, groups: groups) == nil)
  }
}
