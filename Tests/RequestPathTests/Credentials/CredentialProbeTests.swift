import SallyportPKI
import SallyportPracticeCluster
import SallyportService
import TestSupport
import Testing

/// `check --probe` of credentials: each asks the cluster who it is, and what is wrong is said in plain words.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CredentialProbeTests {
  private func probe(_ world: CredentialWorld) async -> (good: [String], bad: [String]) {
    let check = await ConfigurationCheck.run(file: world.house.directory.file("sallyport.yaml"), probing: true)
    return (check.findings.filter { $0.hasPrefix("credential ") }, check.faults.filter { $0.hasPrefix("credential ") })
  }

  @Test func whatTheClusterBelievesIsGood() async throws {
    try await CredentialWorld.with { world in
      let (good, bad) = await self.probe(world)
      #expect(bad.isEmpty, "\(bad)")
      for name in ["front-proxy", "idToken", "clientCertificate", "impersonation", "phantomToken"] {
        #expect(good.contains("credential \(name) at upstream kubernetes: the upstream knows the user and his groups"), "\(name): \(good)")
      }
      #expect(good.contains { $0.hasPrefix("credential passthrough at upstream kubernetes: not asked about") })
      let users = Set(world.house.cluster?.recordedRequests().map { $0.impersonatedUser ?? $0.user ?? "" } ?? [])
      #expect(users == ["sallyport-probe"])
    }
  }

  @Test func whatItDoesNotBelieveIsSaidWithTheCure() async throws {
    var change = CredentialWorld.Change()
    change.clusterAudience = "another"
    change.trustsMinting = false
    try await CredentialWorld.with(change) { world in
      try world.house.directory.write("a-token-of-somebody-else\n", to: "gateway-token")
      try world.house.directory.write(try world.house.pki.client("mallory").chainPEM, to: "front-proxy.pem")
      try world.house.directory.write("", to: "front-proxy.key")
      // A key that is not there is a fault of the file, before anybody is asked.
      let early = await self.probe(world)
      #expect(early.good.isEmpty && early.bad.isEmpty)
      let mallory = try world.house.pki.client("mallory")
      try world.house.directory.write(mallory.chainPEM, to: "front-proxy.pem")
      try world.house.directory.write(mallory.privateKeyPEM, to: "front-proxy.key")
      let bad = await self.probe(world).bad
      func says(_ name: String, _ words: String) -> Bool {
        bad.contains { $0.hasPrefix("credential \(name) at upstream kubernetes: ") && $0.contains(words) }
      }
      #expect(
        says("front-proxy", #"takes the user sallyport-probe for "mallory"; the certificate of the credential is a user's own"#), "\(bad)")
      #expect(says("idToken", "--oidc-client-id"))
      #expect(says("clientCertificate", "--client-ca-file"))
      #expect(says("impersonation", "tokenFile"))
    }
  }

  @Test func aClusterThatIsAwayOrSomebodyElseIsSaid() async throws {
    try await CredentialWorld.with { world in
      try world.house.directory.write(try TestPKI().serverAuthority.certificatePEM, to: "server-ca.pem")
      let bad = await self.probe(world).bad
      #expect(bad.count == 5 && bad.allSatisfy { $0.contains("caFile") }, "\(bad)")
    }
  }
}
