import Foundation
import SallyportIssuer
import Testing

/// Which key signs and which are published, at every moment of many rotations.
@Suite struct KeyRingTests {
  private static let start = Date(timeIntervalSince1970: 1_800_000_000)
  private static let lifetime = 300.0

  private func ring(_ begins: [Double]) throws -> KeyRing {
    KeyRing(
      try begins.map { KeyRing.Entry(try SigningKey(.es256), begins: Self.start.addingTimeInterval($0)) }, tokenLifetime: Self.lifetime)
  }

  @Test func aKeyIsPublishedBeforeItSignsAndUntilItsLastTokenIsDead() throws {
    let ring = try self.ring([0, 1000])
    let (first, second) = (ring.entries[0].key.id, ring.entries[1].key.id)
    func at(_ seconds: Double) -> (signer: String?, published: [String]) {
      let now = Self.start.addingTimeInterval(seconds)
      return (ring.signer(at: now)?.id, ring.published(at: now).map(\.id))
    }
    #expect(at(0) == (first, [first, second]))
    #expect(at(999) == (first, [first, second]))
    #expect(at(1000) == (second, [second, first]))
    #expect(at(1000 + Self.lifetime + KeyRing.slack - 1) == (second, [second, first]))
    #expect(at(1000 + Self.lifetime + KeyRing.slack) == (second, [second]))
    #expect(ring.phase(ofEntry: 1, at: Self.start) == .next)
    #expect(ring.phase(ofEntry: 0, at: Self.start) == .signing)
    #expect(
      ring.phase(ofEntry: 0, at: Self.start.addingTimeInterval(1001))
        == .retiring(until: Self.start.addingTimeInterval(1000 + Self.lifetime + KeyRing.slack)))
  }

  @Test func aClockThatIsSetBackLeavesAKey() throws {
    let ring = try self.ring([0, 1000])
    #expect(ring.signer(at: Self.start.addingTimeInterval(-5))?.id == ring.entries[0].key.id)
    #expect(ring.published(at: Self.start.addingTimeInterval(-5)).first?.id == ring.entries[0].key.id)
  }

  /// Replicas see a new key when they see it, up to the overlap late. Whatever one signs, every other publishes the key
  /// for as long as the token lasts.
  @Test func noReplicaEverSignsWhatAnotherDoesNotPublish() throws {
    var random = SystemRandomNumberGenerator()
    var begins = [0.0]
    while begins.count < 12 { begins.append((begins.last ?? 0) + KeyRotation.overlap + Double.random(in: 0...900, using: &random)) }
    let all = try self.ring(begins)
    /// What a replica knows at a time: the keys that were made (an overlap before they sign) and have reached it.
    func seen(at time: Double, lag: Double) -> KeyRing {
      KeyRing(
        all.entries.filter { $0.begins.timeIntervalSince(Self.start) - KeyRotation.overlap <= time - lag || $0.begins <= Self.start },
        tokenLifetime: Self.lifetime)
    }
    for _ in 0..<4000 {
      let signed = Double.random(in: 0...(begins.last ?? 0) + 1000, using: &random)
      let read = signed + Double.random(in: 0...Self.lifetime, using: &random)
      let lag = { (random: inout SystemRandomNumberGenerator) in Double.random(in: 0...120, using: &random) }
      let signer = try #require(seen(at: signed, lag: lag(&random)).signer(at: Self.start.addingTimeInterval(signed)))
      let published = seen(at: read, lag: lag(&random)).published(at: Self.start.addingTimeInterval(read))
      #expect(published.contains { $0.id == signer.id }, "signed at \(signed), read at \(read), begins \(begins)")
    }
  }
}
