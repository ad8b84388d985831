import Foundation
import SallyportCore
import Testing

@testable import SallyportAuthentication

@Suite struct ClientCertificateTests {
  private let authenticator = CertificateAuthenticator(reader: CertificateReader(names: NameRules(allowSystemNames: [])))
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func problem(of certificate: VerifiedCertificate) -> Problem? {
    guard case .failure(let problem) = self.authenticator.authenticate(certificate, at: self.now) else { return nil }
    return problem
  }

  @Test func theCommonNameIsTheUserAndTheOrganizationsAreTheGroups() throws {
    let certificate = VerifiedCertificate.of(["alice"], organizations: ["developers", "a,b"])
    let identity = try self.authenticator.authenticate(certificate, at: self.now).get()
    #expect(identity.username == "alice")
    #expect(identity.groups == ["developers", "a,b"])
    #expect(identity.uid == nil)
    #expect(identity.method == .clientCertificate)
    #expect(identity.expires == certificate.notAfter)
    #expect(
      identity.origin == [
        .init("subject", "CN=alice,O=developers"), .init("issuer", "CN=clients"), .init("serial", "0102"), .init("fingerprint", "aa55"),
      ])
  }

  @Test func aCertificateWithoutOrganizationIsInNoGroup() throws {
    #expect(try self.authenticator.authenticate(.of(organizations: []), at: self.now).get().groups.isEmpty)
  }

  @Test func oneCertificateIsReadOnce() throws {
    let certificate = VerifiedCertificate.of()
    let first = try self.authenticator.authenticate(certificate, at: self.now).get()
    let second = try self.authenticator.authenticate(certificate, at: self.now).get()
    #expect(first === second)
  }

  @Test func theMemoryOfCertificatesIsBounded() throws {
    let authenticator = CertificateAuthenticator(reader: CertificateReader(names: NameRules(allowSystemNames: [])), capacity: 2)
    let first = VerifiedCertificate.of()
    let identity = try authenticator.authenticate(first, at: self.now).get()
    let others = (0..<2).map { _ in VerifiedCertificate.of() }
    for other in others { _ = authenticator.authenticate(other, at: self.now) }
    #expect(try authenticator.authenticate(first, at: self.now).get() !== identity)
  }

  @Test(arguments: [[], ["alice", "bob"], ["alice", "alice"]])
  func thereIsExactlyOneCommonName(_ names: [String]) throws {
    let problem = try #require(self.problem(of: .of(names)))
    #expect(problem == AuthenticationProblem.credentialsRefused)
    #expect(problem.detail.contains("\(names.count) common names"))
  }

  @Test(arguments: ["", " alice", "alice\n", "al\0ice", "system:admin", "system:kube-controller-manager"])
  func aBadUserNameRefusesTheCertificate(_ name: String) {
    #expect(self.problem(of: .of([name])) == AuthenticationProblem.credentialsRefused)
  }

  @Test(arguments: ["", "admins ", "a\r\nb", "system:masters"])
  func oneBadGroupRefusesTheWholeCertificate(_ group: String) {
    #expect(self.problem(of: .of(organizations: ["developers", group])) == AuthenticationProblem.credentialsRefused)
  }

  @Test func tooManyGroupsRefuseTheCertificate() {
    let groups = (0...NameRules.mostGroups).map { "group\($0)" }
    #expect(self.problem(of: .of(organizations: groups)) == AuthenticationProblem.credentialsRefused)
    #expect(self.problem(of: .of(organizations: Array(groups.dropLast()))) == nil)
  }

  @Test func aListedSystemGroupIsGiven() throws {
    let authenticator = CertificateAuthenticator(reader: CertificateReader(names: NameRules(allowSystemNames: ["system:masters"])))
    #expect(try authenticator.authenticate(.of(organizations: ["system:masters"]), at: self.now).get().groups == ["system:masters"])
  }

  @Test func theDetailRepeatsNothingThatTheCertificateSays() throws {
    let problem = try #require(self.problem(of: .of(["evil\n{\"user\":\"root\"}"])))
    #expect(!problem.detail.contains("evil"))
    #expect(!problem.message.contains("evil"))
  }

  @Test func bothEndsOfTheValidityAreIncluded() throws {
    let certificate = VerifiedCertificate.of(notBefore: self.now - 10, notAfter: self.now + 10)
    _ = try self.authenticator.authenticate(certificate, at: self.now - 10).get()
    _ = try self.authenticator.authenticate(certificate, at: self.now + 10).get()
    for time in [self.now - 10.001, self.now + 10.001] {
      #expect(throws: AuthenticationProblem.certificateExpired) { try self.authenticator.authenticate(certificate, at: time).get() }
    }
  }

  @Test func theValidityIsJudgedForEveryRequest() throws {
    let certificate = VerifiedCertificate.of(notAfter: self.now + 1)
    _ = try self.authenticator.authenticate(certificate, at: self.now).get()
    #expect(throws: AuthenticationProblem.certificateExpired) { try self.authenticator.authenticate(certificate, at: self.now + 2).get() }
  }
}
