import Foundation
import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

/// Signing in by Basic, seen from outside.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PasswordTests {
  @Test func aPasswordSignsInAndTheNameComesFromTheStore() async throws {
    try await House.with { house in
      let answer = try await house.get("/api/v1/namespaces/dev/secrets", Person.bob.basic)
      #expect(answer.status == 200)
      let record = try house.closingRecord(of: answer)
      #expect(record.user.username == "bob" && record.user.groups == ["edit"])
      #expect(record.fact("authentication") == "passwordFile")
      #expect(record.series == House.requests)
      #expect(house.cluster?.recordedRequests().first?.user == "bob")
    }
  }

  @Test(arguments: ["Bob", "BOB", " bob", "bob ", "bo\u{301}b", "bob\u{0}", "b\u{F6}b"]) func anotherSpellingIsAnotherUser(_ name: String)
    async throws
  {
    try await House.with { house in
      let answer = try await house.get("/version", Person.basic(name, Person.bob.password))
      #expect(answer.status == 401)
      #expect(house.cluster?.recordedRequests().isEmpty == true)
    }
  }

  /// Neither the answer nor what is logged of it tells an unknown user from a wrong password.
  @Test func aWrongPasswordAndAnUnknownUserAreAnsweredAlike() async throws {
    try await House.with { house in
      let wrong = try await house.get("/version", Person.basic("bob", Person.wrongPassword))
      let unknown = try await house.get("/version", Person.basic("nobody-here", Person.wrongPassword))
      let broken = try await house.get("/version", "Authorization: Basic !!!")
      let other = try await house.get("/version", "Authorization: Bearer \(Person.wrongPassword)")
      func shown(_ answer: Answer) -> [String] {
        ["\(answer.status)", answer.body] + answer.fields.filter { $0.name != "Audit-Id" }.map { "\($0.name): \($0.value)" }
      }
      #expect(wrong.status == 401)
      for answer in [unknown, broken, other] { #expect(shown(answer) == shown(wrong)) }
      for answer in [wrong, unknown, broken, other] {
        let record = try house.closingRecord(of: answer)
        #expect(record.series == House.unauthenticated)
        #expect(record.responseStatus?.code == 401)
        #expect(record.user.username == nil)
      }
    }
  }

  @Test(arguments: [
    "Authorization: Basic", "Authorization: Basic  ", "Authorization:", "Authorization: Ym9iOmNvcnJlY3QgaG9yc2UgMTc=",
    "Authorization: Basic Ym9iOmNvcnJlY3QgaG9yc2UgMTc", "Authorization: Basic Ym9iOmNvcnJlY3QgaG9yc2UgMTc==",
    "Authorization: Basic Ym9iOmNvcnJl Y3QgaG9yc2UgMTc=", "Authorization: Basic, Ym9iOmNvcnJlY3QgaG9yc2UgMTc=",
    "Authorization: Digest username=\"bob\"", "Authorization: Basic Ym9i",
  ])
  func whatIsNoCredentialSignsNobodyIn(_ field: String) async throws {
    try await House.with { house in
      let answer = try await house.get("/version", field)
      #expect(answer.status == 401)
      #expect(house.cluster?.recordedRequests().isEmpty == true)
    }
  }

  @Test func aRepeatedAuthorizationIsRefused() async throws {
    try await House.with { house in
      for second in [Person.bob, .vera] {
        let answer = try await house.get("/version", Person.bob.basic, second.basic)
        #expect(answer.status == 401)
      }
    }
  }

  /// Both good and the same user: the stronger proof counts. Both good and two users: nobody is meant.
  @Test func aCertificateAndAPasswordMustAgree() async throws {
    try await House.with { house in
      let target = "/api/v1/namespaces/dev/pods"
      let other = try await house.get(target, as: house.certificate("alice", "view"), Person.bob.basic)
      #expect(other.status == 401)
      let wrong = try await house.get(target, as: house.certificate("alice", "view"), Person.basic("alice", Person.wrongPassword))
      #expect(wrong.status == 401)
      let same = try await house.get(target, as: house.certificate("bob", "view"), Person.bob.basic)
      #expect(same.status == 200)
      #expect(try house.closingRecord(of: same).user.groups == ["view"])
      #expect(try house.closingRecord(of: same).fact("authentication") == "clientCertificate")
      #expect(house.cluster?.recordedRequests().count == 1)
    }
  }

  // MARK: The throttle

  private static func throttled(_ body: (House) async throws -> Void) async throws {
    var plan = House.Plan()
    plan.authentication = ["throttle: {failures: 3, per: 1h, lockout: 1h}"]
    try await House.with(plan, body)
  }

  @Test func tooManyFailuresAreAnswered429() async throws {
    try await Self.throttled { house in
      for attempt in 0..<3 {
        // Each another password: the same one again is no new guess.
        #expect(try await house.get("/version", Person.basic("bob", "\(Person.wrongPassword)\(attempt)")).status == 401)
      }
      let answer = try await house.get("/version", Person.basic("bob", "\(Person.wrongPassword)-last"))
      #expect(answer.status == 429)
      #expect(answer.kubernetesStatus?.reason == "TooManyRequests")
      #expect((1...3600).contains(Int(answer.values("Retry-After").first ?? "") ?? 0))
      let record = try house.closingRecord(of: answer)
      #expect(record.responseStatus?.code == 429)
      #expect(record.series == House.unauthenticated)
      // The right password is not looked at either: else the answer would tell which guess was right.
      #expect(try await house.get("/version", Person.bob.basic).status == 429)
      #expect(house.cluster?.recordedRequests().isEmpty == true)
    }
  }

  /// An attacker who fails for a user does not lock out the user who is signed in already.
  @Test func aVerifiedCredentialIsNotBlockedByAnothersFailures() async throws {
    try await Self.throttled { house in
      #expect(try await house.get("/version", Person.bob.basic).status == 200)
      for attempt in 0..<6 { _ = try await house.get("/version", Person.basic("bob", "\(Person.wrongPassword)\(attempt)")) }
      #expect(try await house.get("/version", Person.basic("bob", "\(Person.wrongPassword)-last")).status == 429)
      #expect(try await house.get("/version", Person.bob.basic).status == 200)
      #expect(try await house.get("/version", as: house.certificate("bob", "edit")).status == 200)
      #expect(try await house.get("/livez").status == 200)
    }
  }
}
