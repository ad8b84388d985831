import Foundation
import SallyportCore
import SallyportPKI
import TestSupport
import Testing
import X509

@testable import SallyportListener
@testable import SallyportRevocation

/// Lists and certificates with bytes turned, cut out and doubled: nothing crashes, and no mutation is believed that says
/// something else than what was signed.
///
/// `SALLYPORT_FUZZ_CASES` says how many; without it few enough for every run.
@Suite(.timeLimit(.minutes(30))) struct MutationTests {
  private let cases = ProcessInfo.processInfo.environment["SALLYPORT_FUZZ_CASES"].flatMap { Int($0) } ?? 4000

  private static func mutate(_ bytes: [UInt8], _ generator: inout Chance) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
      case 4:
        let length = min(bytes.count - place, Int.random(in: 1...40, using: &generator))
        bytes.insert(contentsOf: bytes[place..<place + length], at: Int.random(in: 0...bytes.count, using: &generator))
      default: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
      }
      if bytes.isEmpty { bytes = [0x30] }
    }
    return bytes
  }

  @Test func noMutatedListIsBelieved() async throws {
    let house = try Installation()
    let clients = try ["alice", "bob", "carol"].map { try house.pki.client($0) }
    for client in clients { try await house.lists.revoke(client) }
    let original = try decoded(await house.lists.list())
    let serials = clients.map { Array($0.issued.certificate.serialNumber.bytes) }
    let key = try #require(RevocationListDecoder.authority(try house.authorities[0]))
    var generator = Chance(seed: 1)
    var readable = 0
    for number in 0..<self.cases {
      let mutated = Self.mutate(original, &generator)
      guard let lists = try? RevocationListDecoder.lists(in: mutated, named: "mutated") else { continue }
      readable += 1
      for list in lists where list.isSigned(by: key) {
        #expect(list.revoked.count == 3 && serials.allSatisfy(list.revoked.contains), "case \(number)")
      }
    }
    // The mutations reach behind the parser.
    #expect(readable > self.cases / 100, "\(readable) of \(self.cases)")
  }

  @Test func noMutatedCertificateIsBelieved() async throws {
    let house = try Installation()
    let intermediate = try house.pki.intermediateClientAuthority()
    let alice = try house.pki.client("alice", groups: ["view"], signedBy: intermediate)
    let original = try ([alice.issued.certificate] + alice.issued.intermediates).map(der)
    var generator = Chance(seed: 2)
    var readable = 0
    for number in 0..<self.cases {
      var chain = original
      let which = number % 4 == 0 ? 1 : 0
      chain[which] = Self.mutate(chain[which], &generator)
      if RevocationListDecoder.authority(chain[which]) != nil { readable += 1 }
      guard chain != original,
        case .success(let client) = await house.trust.verify(
          chain, fingerprint: VerifiedCertificate.fingerprint(of: chain[0]), at: Date())
      else { continue }
      let certificate = client.certificate
      #expect(certificate.commonNames == ["alice"] && certificate.organizations == ["view"], "case \(number)")
      #expect(certificate.serial == VerifiedCertificate.serial(of: alice.issued.certificate), "case \(number)")
      #expect(certificate.chain.count == 2, "case \(number)")
    }
    #expect(readable > self.cases / 100, "\(readable) of \(self.cases)")
  }
}
