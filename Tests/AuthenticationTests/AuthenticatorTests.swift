import Foundation
import NIOCore
import SallyportCore
import Testing

@testable import SallyportAuthentication

@Suite struct AuthenticatorTests {
  // MARK: One credential

  @Test func aRequestWithNothingPresentsNothing() throws {
    #expect(try TestStation().ask().outcomeNow?.isNothing == true)
  }

  @Test func aGoodCertificateIsAnsweredAtOnce() throws {
    let identity = try #require(try TestStation().ask(certificate: .of()).outcomeNow?.identity)
    #expect(identity.username == "alice")
    #expect(identity.method == .clientCertificate)
  }

  @Test func aGoodPasswordIsIdentified() async throws {
    let identity = try #require(try await TestStation().outcome(.basic("alice", "correct horse")).identity)
    #expect(identity.username == "alice")
    #expect(identity.groups == ["developers", "on call"])
    #expect(identity.uid == "1001")
    #expect(identity.method == .passwordFile)
  }

  @Test func theNameInAnIdentityComesFromTheStore() async throws {
    let users = "users: [{name: zo\u{EB}, passwordHash: \(KnownHash.correctHorse)}]"
    let identity = try #require(try await TestStation(users: users).outcome(.basic("zoe\u{308}", "correct horse")).identity)
    #expect(identity.username.unicodeScalars.count == 3)
  }

  @Test func filesAreAskedInTheirOrder() async throws {
    let first = try PasswordFile(content: Array("alice:\(KnownHash.batteryStaple)".utf8), name: "first")
    let station = try TestStation { $0.passwords.insert(.file(first), at: 0) }
    #expect(try await station.outcome(.basic("alice", "battery staple")).identity?.origin == [.init("passwordFile", "first")])
    #expect(try await station.outcome(.basic("alice", "correct horse")).problem == AuthenticationProblem.credentialsRefused)
    #expect(try await station.outcome(.basic("bob", "battery staple")).identity?.origin == [.init("passwordFile", "users.yaml")])
  }

  // MARK: Refusals

  @Test func nobodyLearnsWhichPartOfACredentialWasWrong() async throws {
    let station = try TestStation()
    var answers: [Problem] = []
    for credential in [
      Secret.basic("alice", "wrong"), .basic("nobody", "correct horse"), .basic("carol", "correct horse"), .basic("carol", "wrong"),
      .basic("ALICE", "correct horse"),
    ] {
      answers.append(try #require(try await station.outcome(credential).problem))
    }
    for problem in answers {
      #expect(problem.code == "credentialsRefused")
      #expect(problem.status == 401)
      #expect(problem.blame == .client)
      #expect(problem.message == answers[0].message)
      #expect(problem.retryAfterSeconds == nil)
    }
    #expect(
      answers.map(\.detail) == [
        "wrong password for user alice", "no password store has the user", "user carol is disabled", "wrong password for user carol",
        "no password store has the user",
      ])
  }

  @Test(arguments: [
    "", "Basic", "Basic ", "Bearer eyJhbGciOiJub25lIn0", "Negotiate abc", "Basic YWxpY2U", "Basic YWxpY2U=", "Basic !!!!",
    "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ== ", "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==, Basic x", "YWxpY2U6Y29ycmVjdCBob3JzZQ==",
    "Basic OnNlY3JldA==",
    "Basic YWxpY2U6",
  ])
  func whatCannotBeReadIsRefusedAtOnce(_ value: String) throws {
    let problem = try TestStation().refusalNow(Secret(value))
    #expect(problem.code == "credentialsRefused")
    #expect(problem.status == 401)
    #expect(problem.message == AuthenticationProblem.credentialsRefused.message)
  }

  @Test func anOversizedFieldIsRefusedAtOnce() throws {
    #expect(try TestStation().refusalNow(Secret("Basic " + String(repeating: "A", count: 60_000))).detail.contains("too long"))
  }

  @Test func aRepeatedFieldIsRefusedEvenIfBothAreGood() throws {
    let good = Secret.basic("alice", "correct horse")
    #expect(try TestStation().refusalNow(good, good).detail.contains("repeated"))
    #expect(try TestStation().refusalNow(good, Secret("Bearer x"), certificate: .of()).detail.contains("repeated"))
  }

  @Test func aNewlineInANameIsRefused() throws {
    #expect(try TestStation().refusalNow(.basic("alice\nX-Remote-Group: admins", "x")).detail.contains("control character"))
  }

  @Test func aPasswordBeyondWhatBcryptReadsIsRefused() async throws {
    let station = try TestStation(users: "users: [{name: x, passwordHash: \(KnownHash.seventyTwo)}]")
    let password = String(repeating: "x", count: 72)
    #expect(try await station.outcome(.basic("x", password)).identity != nil)
    #expect(try await station.outcome(.basic("x", password + "y")).problem?.detail.contains("72 bytes") == true)
  }

  @Test func aSystemGroupIsRefusedEvenIfTheFileWasReadLeniently() async throws {
    let text = "users: [{name: a, passwordHash: \(KnownHash.correctHorse), groups: [\"system:masters\"]}]"
    let file = try PasswordFile(content: Array(text.utf8), name: "users.yaml", allowSystemNames: ["system:masters"])
    let strict = try TestStation { $0.passwords = [.file(file)] }
    #expect(try await strict.outcome(.basic("a", "correct horse")).problem == AuthenticationProblem.credentialsRefused)
    let lenient = try TestStation(memory: strict.memory) {
      $0.passwords = [.file(file)]
      $0.allowSystemNames = ["system:masters"]
    }
    #expect(try await lenient.outcome(.basic("a", "correct horse"), from: .elsewhere).identity?.groups == ["system:masters"])
    // And what the lenient generation knows is nothing to the strict one.
    #expect(try await strict.outcome(.basic("a", "correct horse")).identity == nil)
  }

  @Test func withoutAnyFileEveryPasswordIsRefused() async throws {
    let station = try TestStation { $0.passwords = [] }
    #expect(try await station.outcome(.basic("alice", "correct horse")).problem == AuthenticationProblem.credentialsRefused)
  }

  // MARK: What the route accepts

  @Test func aCertificateIsNoCredentialWhereNoneIsAccepted() throws {
    #expect(try TestStation().ask(certificate: .of(), accepting: .password).outcomeNow?.isNothing == true)
    #expect(try TestStation().ask(certificate: .of(["a", "b"]), accepting: .password).outcomeNow?.isNothing == true)
  }

  @Test func aPasswordIsRefusedWhereNoneIsAccepted() throws {
    let station = try TestStation()
    let good = Secret.basic("alice", "correct horse")
    #expect(try station.refusalNow(good, accepting: .clientCertificate).detail.contains("accepts no Authorization"))
    #expect(try station.refusalNow(good, certificate: .of(), accepting: .clientCertificate).detail.contains("accepts no Authorization"))
    #expect(try station.refusalNow(good, accepting: []).detail.contains("accepts no Authorization"))
  }

  @Test func challengesNameWhatTheRouteAccepts() throws {
    let authenticator = try TestStation().authenticator
    #expect(authenticator.challenges(for: [.password, .clientCertificate]) == [#"Basic realm="sallyport", charset="UTF-8""#])
    #expect(authenticator.challenges(for: .clientCertificate) == [])
    #expect(authenticator.challenges(for: []) == [])
  }

  @Test func aRealmCannotBreakOutOfItsQuotes() throws {
    let authenticator = try TestStation { $0.realm = "a\"b\\c\r\nX: y é" }.authenticator
    #expect(authenticator.challenges(for: .password) == [#"Basic realm="a\"b\\c??X: y ?", charset="UTF-8""#])
  }

  // MARK: Both

  @Test func twoGoodCredentialsOfOneUserAreTheCertificates() async throws {
    let identity = try #require(try await TestStation().outcome(.basic("alice", "correct horse"), certificate: .of()).identity)
    #expect(identity.method == .clientCertificate)
    #expect(identity.groups == ["developers"])
  }

  @Test func twoGoodCredentialsOfTwoUsersAreRefused() async throws {
    let station = try TestStation()
    let problem = try #require(try await station.outcome(.basic("bob", "battery staple"), certificate: .of()).problem)
    #expect(problem.code == "credentialsDisagree")
    #expect(problem.status == 401)
    // Also when the password's answer comes out of the cache.
    #expect(try station.refusalNow(.basic("bob", "battery staple"), certificate: .of()).code == "credentialsDisagree")
  }

  @Test func aBadPasswordIsNotMadeGoodByACertificate() async throws {
    let station = try TestStation()
    #expect(try await station.outcome(.basic("alice", "wrong"), certificate: .of()).problem?.code == "credentialsRefused")
    #expect(try await station.outcome(.basic("bob", "wrong"), certificate: .of()).problem?.code == "credentialsRefused")
    #expect(try station.refusalNow(Secret("Bearer x"), certificate: .of()).code == "credentialsRefused")
    #expect(try station.refusalNow(Secret(""), certificate: .of()).code == "credentialsRefused")
  }

  @Test func aBadCertificateIsNotMadeGoodByAPassword() throws {
    let station = try TestStation()
    let good = Secret.basic("alice", "correct horse")
    #expect(try station.refusalNow(good, certificate: .of(["alice", "bob"])).code == "credentialsRefused")
    #expect(try station.refusalNow(good, certificate: .of(notAfter: station.time.wall - 1)).code == "certificateExpired")
  }

  @Test func aCertificateEndsOnAKeptConnection() throws {
    let station = try TestStation()
    let certificate = VerifiedCertificate.of(notAfter: station.time.wall + 10)
    #expect(station.ask(certificate: certificate).outcomeNow?.identity != nil)
    station.time.advance(by: .seconds(11))
    let problem = try station.refusalNow(certificate: certificate)
    #expect(problem.code == "certificateExpired")
    #expect(problem.status == 401)
  }
}
