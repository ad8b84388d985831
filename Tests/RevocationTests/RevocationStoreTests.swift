import Foundation
import SallyportCore
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportRevocation

/// What lists by `openssl ca -gencrl` say about certificates, and which lists are believed.
@Suite(.timeLimit(.minutes(5))) struct RevocationStoreTests {
  private let house: Installation

  init() throws { self.house = try Installation() }

  // MARK: Judging

  @Test func whoIsOnTheListIsRefusedAndNobodyElse() async throws {
    let (alice, bob) = (try self.house.pki.client("alice"), try self.house.pki.client("bob"))
    try await self.house.lists.revoke(alice)
    let store = try self.house.store(await self.house.lists.list())
    #expect(store.revokedCount == 1)
    let refusal = store.refusal(of: try await self.house.verified(alice))
    #expect(refusal == RevocationProblem.certificateRevoked)
    #expect(refusal?.status == 401)
    #expect(store.refusal(of: try await self.house.verified(bob)) == nil)
    #expect(store.warnings(at: Date()).isEmpty)
  }

  @Test func aJudgementHoldsUntilTheListEnds() async throws {
    let alice = try await self.house.verified(self.house.pki.client("alice"))
    let store = try self.house.store(await self.house.lists.list(lasting: 3600))
    guard case .good(let until) = store.judge(alice, at: Date()) else {
      Issue.record("refused")
      return
    }
    #expect(abs(until.timeIntervalSinceNow - 3590) < 60)
    #expect(store.nextChange(after: Date()) == until)
    #expect(store.refusal(of: alice, at: until) == RevocationProblem.listStale)
    #expect(store.refusal(of: alice, at: until.addingTimeInterval(-1)) == nil)
  }

  @Test func aStaleListIsTakenAndRefusesEverybody() async throws {
    let alice = try await self.house.verified(self.house.pki.client("alice"))
    let store = try self.house.store(await self.house.lists.list(issued: -7200, lasting: 3600))
    #expect(store.refusal(of: alice) == RevocationProblem.listStale)
    #expect(store.warnings(at: Date()).contains { $0.contains("ended at") })
  }

  @Test func aListOfTomorrowIsNotInForceYet() async throws {
    let alice = try await self.house.verified(self.house.pki.client("alice"))
    let store = try self.house.store(await self.house.lists.list(issued: 3600))
    #expect(store.refusal(of: alice) == RevocationProblem.listEarly)
    #expect(store.refusal(of: alice, at: Date(timeIntervalSinceNow: 3700)) == nil)
  }

  @Test func theNewestOfSeveralListsDecides() async throws {
    let alice = try self.house.pki.client("alice")
    let old = try await self.house.lists.list(issued: -100)
    try await self.house.lists.revoke(alice)
    let new = try await self.house.lists.list(issued: -50)
    let verified = try await self.house.verified(alice)
    for content in [old + new, new + old] {
      #expect(try self.house.store(content).refusal(of: verified) == RevocationProblem.certificateRevoked)
    }
    // What is not in force yet decides nothing yet.
    let later = try await self.house.lists.list(issued: 5000)
    #expect(try self.house.store(old + later).refusal(of: verified) == nil)
  }

  // MARK: Chains

  @Test func everyAuthorityOfTheChainNeedsAList() async throws {
    let intermediate = try self.house.pki.intermediateClientAuthority()
    let alice = try self.house.pki.client("alice", signedBy: intermediate)
    let verified = try await self.house.verified(alice)
    #expect(verified.chain.count == 2)
    let roots = try await self.house.lists.list()
    #expect(try self.house.store(roots).refusal(of: verified) == RevocationProblem.listMissing)
    // The list of an authority that only clients show is verified when they do.
    let below = try OpenSSLAuthority(intermediate)
    let both = try self.house.store(roots + (try await below.list()))
    #expect(both.warnings(at: Date()).contains { $0.contains("is no authority of a client CA file") })
    #expect(both.refusal(of: verified) == nil)
    try await below.revoke(alice)
    #expect(try self.house.store(roots + (try await below.list())).refusal(of: verified) == RevocationProblem.certificateRevoked)
    // The trusted authority's own list is asked for as well.
    #expect(try self.house.store(try await OpenSSLAuthority(intermediate).list()).refusal(of: verified) == RevocationProblem.listMissing)
  }

  @Test func aRevokedAuthorityTakesEverybodyBelowWithIt() async throws {
    let intermediate = try self.house.pki.intermediateClientAuthority()
    let verified = try await self.house.verified(self.house.pki.client("alice", signedBy: intermediate))
    try await self.house.lists.revoke(pem: intermediate.certificatePEM)
    let store = try self.house.store(try await self.house.lists.list() + OpenSSLAuthority(intermediate).list())
    #expect(store.refusal(of: verified) == RevocationProblem.certificateRevoked)
  }

  @Test func aListBySomebodyOfTheSameNameIsNotBelievedForAnAuthorityBetween() async throws {
    let intermediate = try self.house.pki.intermediateClientAuthority("Between")
    let verified = try await self.house.verified(self.house.pki.client("alice", signedBy: intermediate))
    let impostor = try OpenSSLAuthority(CertificateAuthority(.authority("Between")))
    let store = try self.house.store(try await self.house.lists.list() + impostor.list())
    #expect(store.refusal(of: verified) == RevocationProblem.listMissing)
  }

  // MARK: Files

  @Test(arguments: [
    ("delta", "is a delta list"), ("indirect", "issuing distribution point"), ("partial", "issuing distribution point"),
    ("unknown", "critical extension that is not understood: 1.2.3.4"),
  ]) func aListThatSpeaksForAPartOnlyIsRefused(_ extensions: String, _ reason: String) async throws {
    let fault = try self.house.fault(await self.house.lists.list(extensions: extensions))
    #expect(fault == RevocationProblem.listUnusable)
    #expect(fault?.detail.contains(reason) == true, "\(fault?.detail ?? "")")
    #expect(fault?.detail.hasPrefix("\(self.house.directory.path)/lists.pem: ") == true)
  }

  @Test func aListByAnotherOfTheSameNameIsRefused() async throws {
    let impostor = try OpenSSLAuthority(CertificateAuthority(.authority("Test Client CA")))
    #expect(try self.house.fault(await impostor.list()) == RevocationProblem.listUnverified)
  }

  @Test func aListSignedWithSHA1IsRefused() async throws {
    let fault = try self.house.fault(await self.house.lists.list(digest: "sha1"))
    #expect(fault == RevocationProblem.listUnusable && fault?.detail.contains("is signed with") == true, "\(fault?.detail ?? "")")
  }

  @Test func aListThatNeverEndsIsRefused() async throws {
    // By hand, since openssl always says when the next one comes; it is refused before its signature is looked at.
    func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { [tag, UInt8(content.count)] + content }
    let algorithm = value(0x30, [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02])
    let issuer = value(0x30, value(0x31, value(0x30, [0x06, 0x03, 0x55, 0x04, 0x03] + value(0x0C, Array("A".utf8)))))
    let signed = value(0x30, [0x02, 0x01, 0x01] + algorithm + issuer + value(0x17, Array("260101000000Z".utf8)))
    let list = value(0x30, signed + algorithm + value(0x03, [0, 1, 2]))
    let path = self.house.directory.file("endless.crl")
    try Data(list).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: RevocationFaults.self) { try RevocationStore(files: [path], authorities: []) }
    #expect(error?.problems.first?.detail.contains("nextUpdate") == true, "\(String(describing: error))")
  }

  @Test func aFileMayBeDERAndHoldSeveral() async throws {
    let alice = try self.house.pki.client("alice")
    try await self.house.lists.revoke(alice)
    let intermediate = try self.house.pki.intermediateClientAuthority()
    let lists = try [decoded(await self.house.lists.list()), decoded(await OpenSSLAuthority(intermediate).list())]
    let path = self.house.directory.file("lists.crl")
    try Data(lists[0] + lists[1]).write(to: URL(fileURLWithPath: path))
    let store = try RevocationStore(files: [path], authorities: self.house.authorities)
    #expect(store.refusal(of: try await self.house.verified(alice)) == RevocationProblem.certificateRevoked)
    #expect(store.refusal(of: try await self.house.verified(self.house.pki.client("bob", signedBy: intermediate))) == nil)
    try Data(lists[0] + [0x30]).write(to: URL(fileURLWithPath: path))
    #expect(throws: RevocationFaults.self) { try RevocationStore(files: [path], authorities: self.house.authorities) }
  }

  @Test(arguments: ["", "text\n", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "-----BEGIN X509 CRL-----\nMIIB"])
  func whatIsNoListIsRefused(_ content: String) throws {
    #expect(try self.house.fault(content) == RevocationProblem.listUnusable)
  }

  @Test func aCertificateInTheFileIsRefused() async throws {
    let fault = try self.house.fault(await self.house.lists.list() + self.house.pki.clientAuthority.certificatePEM)
    #expect(fault?.detail.contains("PEM block 2 is \"CERTIFICATE\", not X509 CRL") == true)
  }

  @Test func whatIsWrongIsToldAtOnce() throws {
    let missing = self.house.directory.file("missing.crl")
    let text = try self.house.directory.write("text", to: "text.crl")
    let error = #expect(throws: RevocationFaults.self) { try RevocationStore(files: [missing, text], authorities: []) }
    #expect(error?.problems.map(\.code) == ["revocationFileUnreadable", "revocationListUnusable"])
  }

  // MARK: Changes

  @Test func aNewFileIsTakenOver() async throws {
    let alice = try self.house.pki.client("alice")
    let verified = try await self.house.verified(alice)
    let store = try self.house.store(await self.house.lists.list(issued: -20))
    let version = store.version
    #expect(store.refusal(of: verified) == nil)
    #expect(store.reload().changed == false)
    try await self.house.lists.revoke(alice)
    try self.house.directory.write(await self.house.lists.list(issued: -10), to: "lists.pem")
    let reloaded = store.reload()
    #expect(reloaded.changed && reloaded.problems.isEmpty)
    #expect(store.version > version)
    #expect(store.refusal(of: verified) == RevocationProblem.certificateRevoked)
  }

  @Test func aBrokenFileLeavesTheListInForceAndIsToldOnce() async throws {
    let alice = try self.house.pki.client("alice")
    try await self.house.lists.revoke(alice)
    let verified = try await self.house.verified(alice)
    let good = try await self.house.lists.list()
    let store = try self.house.store(good)
    let version = store.version
    try self.house.directory.write(String(good.dropLast(60)), to: "lists.pem")
    #expect(store.reload().problems.map(\.code) == ["revocationListUnusable"])
    #expect(store.reload().problems.isEmpty)
    try FileManager.default.removeItem(atPath: self.house.directory.file("lists.pem"))
    #expect(store.reload().problems.map(\.code) == ["revocationFileUnreadable"])
    #expect(store.version == version)
    #expect(store.refusal(of: verified) == RevocationProblem.certificateRevoked)
    #expect(store.refusal(of: try await self.house.verified(self.house.pki.client("bob"))) == nil)
    // Until it ends.
    #expect(
      store.refusal(of: try await self.house.verified(self.house.pki.client("bob")), at: Date(timeIntervalSinceNow: 4000))
        == RevocationProblem.listStale)
    try self.house.directory.write(good, to: "lists.pem")
    #expect(store.reload().changed)
  }

  @Test func anOlderListDoesNotBringBackWhomItDoesNotKnow() async throws {
    let alice = try self.house.pki.client("alice")
    let old = try await self.house.lists.list(issued: -1000)
    try await self.house.lists.revoke(alice)
    let new = try await self.house.lists.list(issued: -10)
    let store = try self.house.store(old + new)
    try self.house.directory.write(old, to: "lists.pem")
    #expect(store.reload().problems == [RevocationProblem.listOlder])
    #expect(store.refusal(of: try await self.house.verified(alice)) == RevocationProblem.certificateRevoked)
    // An old one beside a newer one harms nobody.
    try self.house.directory.write(old + (try await self.house.lists.list(issued: -5)), to: "lists.pem")
    #expect(store.reload().changed)
  }

  // MARK: Size

  @Test func aHundredThousandEntriesAreReadQuicklyAndTakeLittle() async throws {
    try self.house.lists.revoke(count: 100_000)
    let content = try await self.house.lists.list()
    let path = try self.house.directory.write(content, to: "large.pem")
    let clock = ContinuousClock()
    var store: RevocationStore?
    let before = Self.residentBytes()
    let time = try clock.measure { store = try RevocationStore(files: [path], authorities: self.house.authorities) }
    let growth = Self.residentBytes() - before
    print("a list of 100,000 entries (\(content.utf8.count) bytes): read in \(time), \(growth >> 10) KiB")
    #expect(store?.revokedCount == 100_000)
    #expect(time < .seconds(20))
    #expect(growth < 160 << 20)
    let verified = try await self.house.verified(self.house.pki.client("alice"))
    let lookUps = clock.measure {
      for _ in 0..<10_000 { _ = store?.judge(verified, at: Date(timeIntervalSince1970: 1)) }
    }
    print("10,000 judgements: \(lookUps)")
  }

  private static func residentBytes() -> Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
  }
}
