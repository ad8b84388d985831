import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportCredential
import SallyportIssuer
import SallyportJOSE
import SallyportJSON
import Testing

/// When a token is made, how long it is used, and for whom it is not made.
@Suite struct IDTokenCredentialTests {
  private let time = TestTime()

  private func source(audience: String = "kubernetes", names: Set<String> = [], capacity: Int = 100) throws -> IDTokenCredential {
    let keys = KeyRing([.init(try SigningKey(.es256), begins: .distantPast)], tokenLifetime: 300)
    return IDTokenCredential(
      issuer: Issuer(url: "https://g.example.org/.sallyport", keys: keys), audience: audience, names: ReservedNames(allowed: names),
      clock: self.time.clock, capacity: capacity)
  }

  private func claims(_ credential: UpstreamCredential) throws -> [String: JSONValue] {
    let lines = String(buffer: credential.fieldLines)
    let match = try #require(lines.wholeMatch(of: /Authorization: Bearer ([^\r\n]+)\r\n/))
    return try SignedToken(match.1.utf8).claims
  }

  @Test func aTokenIsMadeOnceForAnIdentityOnWhateverConnection() throws {
    let source = try self.source()
    let (alice, memory) = (Subject.identity(.of()), ConnectionMemory())
    let first = try source.credential(for: alice, impersonating: nil, memory: memory)
    #expect(try source.credential(for: alice, impersonating: nil, memory: memory) === first)
    #expect(try source.credential(for: alice, impersonating: nil, memory: ConnectionMemory()) === first)
    #expect(try source.credential(for: alice, impersonating: nil) === first)
    let claims = try self.claims(first)
    #expect(first.kind == "idToken" && first.connection == .none && first.identifier == claims["jti"]?.string)
    // The same names as another object are another identity.
    #expect(try source.credential(for: .identity(.of()), impersonating: nil, memory: memory) !== first)
    #expect(try self.claims(source.credential(for: .identity(.of("bob")), impersonating: nil, memory: memory))["sub"]?.string == "bob")
  }

  @Test func aClustersOwnTokenNeverBecomesTheGateways() throws {
    let token = Identity.TokenClaims(issuer: "https://cluster", audiences: [], scopes: [], cluster: "kubernetes")
    let subject = Subject.identity(Identity(username: "robot", groups: [], method: .tokenReview, token: token))
    #expect(try self.claims(self.source().credential(for: subject, impersonating: nil))["sub"]?.string == "robot")
    #expect { try self.source(audience: "sallyport").credential(for: subject, impersonating: nil) } throws: {
      ($0 as? Problem)?.code == "clusterIdentity" && ($0 as? Problem)?.status == 403
    }
  }

  @Test func aConnectionThatChangesItsRouteGetsTheOtherAudience() throws {
    let (one, other) = (try self.source(), try self.source(audience: "dashboard"))
    let (alice, memory) = (Subject.identity(.of()), ConnectionMemory())
    for _ in 0..<3 {
      #expect(try self.claims(one.credential(for: alice, impersonating: nil, memory: memory))["aud"]?.string == "kubernetes")
      #expect(try self.claims(other.credential(for: alice, impersonating: nil, memory: memory))["aud"]?.string == "dashboard")
    }
  }

  @Test func aTokenIsMadeAnewBeforeItEnds() throws {
    let source = try self.source()
    let (alice, memory) = (Subject.identity(.of()), ConnectionMemory())
    let first = try source.credential(for: alice, impersonating: nil, memory: memory)
    self.time.advance(by: 239)
    #expect(try source.credential(for: alice, impersonating: nil, memory: memory) === first)
    self.time.advance(by: 2)
    let second = try source.credential(for: alice, impersonating: nil, memory: memory)
    #expect(second !== first)
    #expect(try source.credential(for: alice, impersonating: nil) === second)
    #expect(try self.claims(second)["exp"]?.integer == Int64(self.time.wall.timeIntervalSince1970) + 300)
  }

  /// Over the whole life of a credential that ends: never a token beyond it, never one that has ended, and none behind it.
  @Test func aTokenEndsWithWhatProvedTheIdentity() throws {
    let source = try self.source()
    let ends = self.time.wall.addingTimeInterval(700)
    let alice = Subject.identity(.of(method: .clientCertificate, expires: ends))
    let memory = ConnectionMemory()
    var made: Set<String> = []
    while self.time.wall < ends.addingTimeInterval(-2) {
      let credential = try source.credential(for: alice, impersonating: nil, memory: memory)
      let exp = try #require(try self.claims(credential)["exp"]?.integer)
      #expect(Double(exp) <= ends.timeIntervalSince1970 && Double(exp) > self.time.wall.timeIntervalSince1970)
      made.insert(credential.identifier ?? "")
      self.time.advance(by: 0.5)
    }
    #expect(made.count == 3)
    self.time.advance(by: 2)
    #expect(problem { _ = try source.credential(for: alice, impersonating: nil, memory: memory) } == .proofEnds)
  }

  @Test func reservedNamesAreJudgedOnceMore() throws {
    let source = try self.source(names: ["system:monitor"])
    func refusal(_ identity: Identity) -> Problem? {
      problem { _ = try source.credential(for: .identity(identity), impersonating: nil) }
    }
    #expect(refusal(.of("system:admin"))?.code == "nameReserved")
    #expect(refusal(.of(groups: ["dev", "system:masters"]))?.status == 403)
    #expect(refusal(.of("system:serviceaccount:dev:default", groups: []))?.code == "nameReserved")
    #expect(refusal(.of("system:monitor", groups: [])) == nil)
    // A combining mark behind the colon does not hide the prefix.
    #expect(refusal(.of("system:\u{301}x", groups: []))?.code == "nameReserved")
    // The cluster has vouched for its own.
    #expect(refusal(.of("system:serviceaccount:dev:default", groups: ["system:serviceaccounts"], method: .tokenReview)) == nil)
    #expect(refusal(.of("system:node:a", groups: [], method: .tokenReview))?.code == "nameReserved")
  }

  @Test func nobodyGetsNothingAndNobodyImpersonates() throws {
    let source = try self.source()
    let nothing = try source.credential(for: .anonymous, impersonating: nil)
    #expect(nothing.fieldLines.readableBytes == 0 && nothing.kind == "none")
    #expect(problem { _ = try source.credential(for: .anonymous, impersonating: .init(user: "zoe")) }?.status == 400)
    let memory = ConnectionMemory()
    let asking = try source.credential(for: .identity(.of()), impersonating: .init(user: "zoe", groups: ["g"]), memory: memory)
    #expect(String(buffer: asking.fieldLines).hasSuffix("\r\nImpersonate-User: zoe\r\nImpersonate-Group: g\r\n"))
    #expect(problem { _ = try source.credential(for: .identity(.of()), impersonating: .init(user: "a\nb")) }?.status == 400)
  }

  @Test func noMoreTokensAreKeptThanMayBe() throws {
    let source = try self.source(capacity: 3)
    let people = (0..<5).map { Subject.identity(.of("user-\($0)")) }
    let made = try people.map { try source.credential(for: $0, impersonating: nil) }
    #expect(try source.credential(for: people[4], impersonating: nil) === made[4])
    #expect(try source.credential(for: people[0], impersonating: nil) !== made[0])
  }
}
