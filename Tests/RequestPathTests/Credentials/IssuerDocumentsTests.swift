import Foundation
import SallyportIssuer
import SallyportJSON
import SallyportPracticeCluster
import TestSupport
import Testing

/// What the gateway says of itself as an OpenID provider, to whom, and what becomes of it when keys change.
@Suite(.serialized, .timeLimit(.minutes(10))) struct IssuerDocumentsTests {
  private static let discovery = "/.sallyport/.well-known/openid-configuration"
  private static let keys = "/.sallyport/keys"

  @Test func anybodyReadsTheDocumentsAndMayKeepThem() async throws {
    try await CredentialWorld.with { world in
      let discovery = try await world.house.get(Self.discovery)
      #expect(discovery.status == 200, "\(discovery)")
      #expect(discovery.values("Content-Type") == ["application/json"])
      #expect(discovery.values("Cache-Control") == ["public, max-age=300"])
      let document = try JSONReader.read(discovery.body.utf8)
      #expect(document["issuer"]?.string == world.issuer && document["jwks_uri"]?.string == world.issuer + "/keys")
      let keys = try await world.house.get(Self.keys)
      #expect(try JSONReader.read(keys.body.utf8)["keys"]?.array?.count == 1)
      let head = try await world.house.ask("HEAD \(Self.keys) HTTP/1.1\r\nHost: LOCALHOST:1\r\n\r\n")
      #expect(head.status == 200 && head.values("Content-Length") == ["\(keys.body.utf8.count)"])
      let record = try world.house.closingRecord(of: keys)
      #expect(record.series == House.unauthenticated && record.fact("upstream") == nil && record.responseStatus?.code == 200)
      #expect(world.house.cluster?.recordedRequests().isEmpty == true)
    }
  }

  @Test func theyAreReadAtTheIssuersHostAloneAndNothingElseIsThere() async throws {
    try await CredentialWorld.with { world in
      let nobody = CredentialWorld.Client(certificate: nil, fields: [], username: "", groups: [])
      for host in ["idtoken.test", "127.0.0.1", "other.test"] {
        #expect(try await world.ask("GET \(Self.keys)", at: host, as: nobody).status == 404, "\(host)")
      }
      for path in ["/.sallyport", "/.sallyport/", "/.sallyport/keys/", "/.sallyport/keyſ", "/.sallyport/token", "/.sallyport/KEYS"] {
        #expect(try await world.house.get(path).status >= 400, "\(path)")
      }
      for method in ["POST", "DELETE", "PUT", "OPTIONS"] {
        let answer = try await world.house.ask("\(method) \(Self.keys) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        #expect(answer.status == 405, "\(method)")
      }
      #expect(world.house.cluster?.recordedRequests().isEmpty == true)
    }
    // Without an issuer there is nothing.
    let status = try await House.with { house in try await house.get(Self.keys).status }
    #expect(status == 404)
  }

  /// The whole rotation, with clients that go on all the while: a new key is published, then signs; the cluster fetches it
  /// when it sees it. No request fails.
  @Test func keysAreRotatedUnderLoadWithoutOneFailedRequest() async throws {
    try await CredentialWorld.with { world in
      let directory = KeyDirectory(world.house.directory.file("issuer"))
      let first = try #require(try directory.read().first)
      let failures = Observed<[String]>([])
      let count = Observed(0)
      let load = Task {
        var number = 0
        while !Task.isCancelled {
          number += 1
          // Another user each time, so that every request takes a token of its own.
          let client = try world.bearer(["email": "\"user-\(number)@example.org\"", "groups": #"["view"]"#])
          let (answer, user) = try await world.whoAmI(client, by: .idToken)
          if answer.status != 201 || user?["username"]?.string != "user-\(number)@example.org" {
            failures.update { $0.append("\(answer)") }
          }
          count.update { $0 += 1 }
        }
      }
      try await eventually("requests", within: 60) { count.value > 10 }
      _ = try KeyRotation(directory, tokenLifetime: 300).rotate(.rs256, overlap: 2, at: Date())
      try await world.house.reload()
      #expect(try JSONReader.read(try await world.house.get(Self.keys).body.utf8)["keys"]?.array?.count == 2)
      let before = count.value
      try await eventually("more requests", within: 60) { count.value > before + 5 }
      // Until the new key signs.
      try await eventually("a token by the new key", within: 60) {
        let client = try world.bearer(["email": #""late@example.org""#, "groups": #"["view"]"#])
        _ = try await world.whoAmI(client, by: .idToken)
        let token = try world.lastRequest().values(of: "Authorization").first ?? ""
        return token.contains(Data(#"{"alg":"RS256""#.utf8).base64EncodedString().prefix(16))
      }
      let after = count.value
      try await eventually("requests by the new key", within: 60) { count.value > after + 10 }
      load.cancel()
      _ = await load.result
      #expect(failures.value.isEmpty, "\(failures.value.prefix(3))")
      #expect(try directory.read().first?.name == first.name)
    }
  }

  @Test func aDirectoryWithoutKeysIsAFaultWithItsPlaceAndCure() async throws {
    try await CredentialWorld.with { world in
      for file in try KeyDirectory(world.house.directory.file("issuer")).read() {
        try FileManager.default.removeItem(atPath: world.house.directory.file("issuer/\(file.name)"))
      }
      await #expect(throws: (any Error).self) { try await world.house.reload() }
      #expect(world.house.log.text.contains("sallyport keys rotate --directory"))
      // What was before goes on.
      #expect(try await world.whoAmI(try world.client(.password), by: .idToken).answer.status == 201)
    }
  }
}
