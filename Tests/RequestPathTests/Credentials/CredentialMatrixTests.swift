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
        for wayOut in World.WayOut.allCases where wayOut.waysIn.contains(wayIn) {
          let (answer, user) = try await world.whoAmI(client, by: wayOut)
          #expect(answer.status == 201, "\(wayIn) by \(wayOut): \(answer)")
          #expect(user?["username"]?.string == client.username, "\(wayIn) by \(wayOut)")
          #expect(user?["groups"]?.strings == client.groups + ["system:authenticated"], "\(wayIn) by \(wayOut)")
          let record = try world.house.closingRecord(of: answer)
          #expect(record.user.username == client.username)
          #expect(record.fact("credential") == wayOut.audited(wayIn))
          #expect((record.fact("credential-id") != nil) == wayOut.hasIdentifier(wayIn))
          // Nothing that the client proved itself by has reached the upstream.
          let seen = try world.lastRequest()
          for field in client.fields where wayOut != .passthrough {
            #expect(!seen.headers.contains { "\($0.name): \($0.value)" == field })
          }
          #expect(seen.values(of: "Authorization").count == (wayOut.isToken ? 1 : 0))
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
        // Where the gateway acts as both, who it was stands beside whom it acts as.
        let original = user?["extra"]?["sallyport.dev/original-user"]?.strings
        #expect(original == (wayOut == .impersonation ? [client.username] : nil), "\(wayOut)")
        // And the next request of the same user is his own again.
        #expect(try await world.whoAmI(client, by: wayOut).user?["username"]?.string == client.username)
        let refused = try await world.whoAmI(try world.client(.jwt), by: wayOut, "Impersonate-User: zoe")
        #expect(refused.answer.status == 403, "\(wayOut): \(refused.answer)")
      }
    }
  }

  @Test func whoImpersonatesIsAskedAboutValueByValue() async throws {
    try await World.with { world in
      let client = try world.bearer(["groups": #"["impersonator"]"#])
      func status(_ fields: String...) async throws -> Int {
        let answer = try await world.ask(
          "POST /apis/authentication.k8s.io/v1/selfsubjectreviews", fields,
          body: #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#, at: World.WayOut.impersonation.host, as: client)
        return answer.status
      }
      #expect(try await status("Impersonate-User: zoe", "Impersonate-Group: view", "Impersonate-Group: edit") == 201)
      // The user may impersonate users and groups; the gateway may impersonate UIDs, and he may not.
      #expect(try await status("Impersonate-User: zoe", "Impersonate-Uid: 7") == 403)
      #expect(try await status("Impersonate-User: zoe", "Impersonate-Extra-Scopes: all") == 403)
      #expect(try await status("Impersonate-User: system:serviceaccount:dev:default") == 403)
      // What is the gateway's own to say.
      #expect(try await status("Impersonate-User: zoe", "Impersonate-Extra-sallyport.dev%2foriginal-user: root") == 400)
      let reviews = world.house.cluster?.recordedRequests().filter { $0.requestURI.hasSuffix("/subjectaccessreviews") } ?? []
      #expect(reviews.count == 8)
      #expect(reviews.allSatisfy { $0.user == "system:serviceaccount:sallyport:sallyport" && $0.impersonatedUser == nil })
      // What was found out a moment ago is not asked again.
      #expect(try await status("Impersonate-User: zoe", "Impersonate-Group: view", "Impersonate-Group: edit") == 201)
      #expect(world.house.cluster?.recordedRequests().count { $0.requestURI.hasSuffix("/subjectaccessreviews") } == 8)
    }
  }

  @Test func theGatewaysOwnTokenIsReadAnewWhenItChanges() async throws {
    try await World.with { world in
      #expect(try await world.whoAmI(try world.client(.password), by: .impersonation).answer.status == 201)
      try world.house.directory.write("an-older-one\n", to: "gateway-token")
      try await eventually("a token that the upstream does not know", within: 60) {
        try await world.whoAmI(try world.client(.password), by: .impersonation).answer.status == 502
      }
      #expect(world.house.log.text.contains("tokenFile"))
      // What is no token is not taken over.
      try world.house.directory.write(try #require(world.house.cluster).gatewayToken(), to: "gateway-token")
      try await eventually("another token", within: 60) {
        try await world.whoAmI(try world.client(.password), by: .impersonation).answer.status == 201
      }
      try world.house.directory.write("two words", to: "gateway-token")
      try await eventually("a complaint", within: 60) { world.house.log.text.contains("is not taken over") }
      #expect(try await world.whoAmI(try world.client(.password), by: .impersonation).answer.status == 201)
    }
  }

  @Test func onlyATokenThatProvedTheIdentityIsPassedOn() async throws {
    try await World.with { world in
      for wayIn in [World.WayIn.certificate, .password] {
        let (answer, _) = try await world.whoAmI(try world.client(wayIn), by: .passthrough)
        #expect(answer.status == 403 && answer.kubernetesStatus?.message.contains("by a token") == true, "\(wayIn): \(answer)")
      }
      // What the upstream does not believe is the client's own.
      let (answer, _) = try await world.whoAmI(try world.client(.opaque), by: .passthrough)
      #expect(answer.status == 401)
      let sent = try world.lastRequest().values(of: "Authorization")
      #expect(sent == ["Bearer opaque-1"])
    }
  }

  // MARK: - What goes on, and what changes

  @Test func aReloadKeepsTheCertificatesThatWereMade() async throws {
    try await World.with { world in
      func serial() async throws -> String? {
        let (answer, _) = try await world.whoAmI(try world.client(.password), by: .clientCertificate)
        #expect(answer.status == 201)
        return try world.house.closingRecord(of: answer).fact("credential-id")
      }
      let first = try await serial()
      #expect(first?.utf8.count == 34)
      try await world.house.reload()
      #expect(try await serial() == first)
      // Another lifetime is another way to make them.
      try world.house.change("caPrivateKeyFile: minting-ca.key", to: "caPrivateKeyFile: minting-ca.key, lifetime: 30m")
      try await world.house.reload()
      #expect(try await serial() != first)
    }
  }

  @Test func theMintingAuthorityIsChangedUnderLoadWithoutOneFailedRequest() async throws {
    try await World.with { world in
      let failures = Observed<[String]>([])
      let count = Observed(0)
      let load = Task {
        var number = 0
        while !Task.isCancelled {
          number += 1
          // Now one who was here, now somebody new.
          let name = "user-\(number % 3 == 0 ? number : 0)@example.org"
          let client = try world.bearer(["email": "\"\(name)\"", "groups": #"["view"]"#])
          let (answer, user) = try await world.whoAmI(client, by: .clientCertificate)
          if answer.status != 201 || user?["username"]?.string != name { failures.update { $0.append("\(answer)") } }
          count.update { $0 += 1 }
        }
      }
      try await eventually("requests", within: 60) { count.value > 10 }
      try world.house.directory.write(world.nextMinting.privateKeyPEM, to: "minting-ca.key")
      // The key alone is a fault, and changes nothing.
      await #expect(throws: (any Error).self) { try await world.house.reload() }
      #expect(world.house.log.text.contains("is not the certificate of the private key"))
      try world.house.directory.write(world.nextMinting.certificatePEM, to: "minting-ca.pem")
      try await world.house.reload()
      let before = count.value
      try await eventually("more requests", within: 60) { count.value > before + 15 }
      load.cancel()
      _ = await load.result
      #expect(failures.value.isEmpty, "\(failures.value.prefix(3))")
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
