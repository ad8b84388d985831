import SallyportJSON
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

/// Any way in, any way out: the upstream knows the same user in the same groups.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CredentialMatrixTests {
  typealias World = CredentialWorld

  @Test func everyWayInThroughEveryWayOutIsTheSameUser() async throws {
    try await World.with { world in
      for wayIn in World.WayIn.allCases {
        let client = try world.client(wayIn)
        for wayOut in World.WayOut.allCases {
          let (answer, user) = try await world.whoAmI(client, by: wayOut)
          #expect(answer.status == 201, "\(wayIn) by \(wayOut): \(answer)")
          #expect(user?["username"]?.string == client.username, "\(wayIn) by \(wayOut)")
          #expect(user?["groups"]?.strings == client.groups + ["system:authenticated"], "\(wayIn) by \(wayOut)")
          let record = try world.house.closingRecord(of: answer)
          #expect(record.user.username == client.username)
          #expect(record.fact("credential") == wayOut.audited)
          #expect((record.fact("credential-id") != nil) == (wayOut != .requestHeaders))
          // Nothing that the client proved itself by has reached the upstream.
          let seen = try world.lastRequest()
          for field in client.fields { #expect(!seen.headers.contains { "\($0.name): \($0.value)" == field }) }
          #expect(seen.values(of: "Authorization").count == (wayOut == .idToken ? 1 : 0))
        }
      }
    }
  }

  @Test func impersonationIsJudgedByTheRightsOfTheUserHimself() async throws {
    try await World.with { world in
      let client = try world.bearer(["groups": #"["impersonator"]"#])
      for wayOut in World.WayOut.allCases {
        let (answer, user) = try await world.whoAmI(client, by: wayOut, "Impersonate-User: zoe", "Impersonate-Group: view")
        #expect(answer.status == 201, "\(wayOut): \(answer)")
        #expect(user?["username"]?.string == "zoe", "\(wayOut)")
        // And the next request of the same user is his own again.
        #expect(try await world.whoAmI(client, by: wayOut).user?["username"]?.string == client.username)
        let refused = try await world.whoAmI(try world.client(.password), by: wayOut, "Impersonate-User: zoe")
        #expect(refused.answer.status == 403, "\(wayOut): \(refused.answer)")
      }
    }
  }

  // MARK: - An upstream that does not believe the gateway

  /// The operator's fault, said with the cure where he looks, and not to the client, who would sign in again for nothing.
  private func expectDisbelief(
    _ answer: Answer, _ world: World, cure: String, location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(answer.status == 502, "\(answer)", sourceLocation: location)
    #expect(answer.kubernetesStatus?.message.contains("did not accept the gateway's word") == true, sourceLocation: location)
    #expect(answer.values("WWW-Authenticate").isEmpty, sourceLocation: location)
    #expect(!answer.body.contains(cure), sourceLocation: location)
    let record = try world.house.closingRecord(of: answer)
    #expect(record.error.hasPrefix("upstreamDisbelieves: ") && record.error.contains(cure), "\(record.error)", sourceLocation: location)
    #expect(world.house.log.text.contains(cure), sourceLocation: location)
  }

  @Test func aWrongAudienceIsTheOperatorsFault() async throws {
    var change = World.Change()
    change.clusterAudience = "another"
    try await World.with(change) { world in
      let (answer, _) = try await world.whoAmI(try world.client(.password), by: .idToken)
      try self.expectDisbelief(answer, world, cure: "--oidc-client-id")
      world.believe(audience: World.audience)
      #expect(try await world.whoAmI(try world.client(.password), by: .idToken).answer.status == 201)
    }
  }

  @Test func anIssuerThatTheUpstreamDoesNotKnowIsTheOperatorsFault() async throws {
    var change = World.Change()
    change.knowsIssuer = false
    try await World.with(change) { world in
      let (answer, _) = try await world.whoAmI(try world.client(.certificate), by: .idToken)
      try self.expectDisbelief(answer, world, cure: "--oidc-issuer-url")
      // Keys of somebody else: the same URL of an issuer, and no signature of his.
      world.house.cluster?.believe([
        .init(
          url: world.provider.issuer, audiences: [World.audience],
          certificateAuthority: world.house.pki.serverAuthority.certificatePEM)
      ])
      #expect(try await world.whoAmI(try world.client(.certificate), by: .idToken).answer.status == 502)
    }
  }

  @Test func aMintingAuthorityThatTheUpstreamDoesNotTrustIsTheOperatorsFault() async throws {
    var change = World.Change()
    change.trustsMinting = false
    try await World.with(change) { world in
      let (answer, _) = try await world.whoAmI(try world.client(.jwt), by: .clientCertificate)
      try self.expectDisbelief(answer, world, cure: "--client-ca-file")
      #expect(try await world.whoAmI(try world.client(.jwt), by: .idToken).answer.status == 201)
    }
  }

  /// The API server's word about another server's answer is not its own.
  @Test func anAnswerOfTheUpstreamsThatIsNoDisbeliefGoesThrough() async throws {
    try await House.with(script: { moment, peer in
      guard case .end = moment else { return }
      peer.send("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"app\"\r\nContent-Length: 2\r\n\r\nno")
    }) { house, _ in
      let proxied = try await house.get("/api/v1/namespaces/dev/services/app/proxy/x", Person.bob.basic)
      #expect(proxied.status == 401 && proxied.values("WWW-Authenticate") == ["Basic realm=\"app\""])
      #expect(try await house.get("/api/v1/namespaces/dev/pods", Person.bob.basic).status == 502)
      // Nobody in particular was told of anybody.
      #expect(try await house.get("/livez").status == 401)
    }
  }
}
