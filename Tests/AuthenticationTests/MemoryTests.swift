import Crypto
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import NIOPosix
import SallyportCore
import Testing

@testable import SallyportAuthentication

@Suite struct ExpiringCacheTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000)

  @Test func anEntryEndsAtItsTime() {
    var cache = ExpiringCache<String, Int>(capacity: 4)
    cache.insert(1, for: "a", until: self.start + .seconds(60), at: self.start)
    #expect(cache.value(for: "a", at: self.start) == 1)
    #expect(cache.value(for: "a", at: self.start + .seconds(60) - .nanoseconds(1)) == 1)
    #expect(cache.value(for: "a", at: self.start + .seconds(60)) == nil)
    #expect(cache.value(for: "b", at: self.start) == nil)
  }

  @Test func aHitDoesNotProlongAnEntry() {
    var cache = ExpiringCache<String, Int>(capacity: 4)
    cache.insert(1, for: "a", until: self.start + .seconds(10), at: self.start)
    _ = cache.value(for: "a", at: self.start + .seconds(9))
    #expect(cache.value(for: "a", at: self.start + .seconds(11)) == nil)
  }

  @Test func anEntryIsReplacedInPlace() {
    var cache = ExpiringCache<String, Int>(capacity: 4)
    cache.insert(1, for: "a", until: self.start + .seconds(10), at: self.start)
    cache.insert(2, for: "a", until: self.start + .seconds(20), at: self.start)
    #expect(cache.count == 1)
    #expect(cache.value(for: "a", at: self.start + .seconds(15)) == 2)
  }

  @Test func entriesInUseSurviveAFlood() {
    var cache = ExpiringCache<Int, Int>(capacity: 16)
    cache.insert(-1, for: -1, until: self.start + .hours(1), at: self.start)
    for flood in 0..<1000 {
      #expect(cache.value(for: -1, at: self.start) == -1)
      cache.insert(flood, for: flood, until: self.start + .hours(1), at: self.start)
      #expect(cache.count <= 16)
    }
    #expect(cache.value(for: 999, at: self.start) == 999)
    #expect(cache.value(for: 0, at: self.start) == nil)
  }

  @Test func endedEntriesMakeRoomBeforeOthers() {
    var cache = ExpiringCache<String, Int>(capacity: 2)
    cache.insert(1, for: "short", until: self.start + .seconds(1), at: self.start)
    cache.insert(2, for: "long", until: self.start + .hours(1), at: self.start)
    _ = cache.value(for: "short", at: self.start)
    _ = cache.value(for: "long", at: self.start)
    cache.insert(3, for: "new", until: self.start + .hours(1), at: self.start + .seconds(2))
    #expect(cache.value(for: "long", at: self.start + .seconds(2)) == 2)
    #expect(cache.value(for: "new", at: self.start + .seconds(2)) == 3)
  }

  @Test func aFullCacheOfEntriesInUseStillTakesNewOnes() {
    var cache = ExpiringCache<Int, Int>(capacity: 4)
    for key in 0..<4 { cache.insert(key, for: key, until: self.start + .hours(1), at: self.start) }
    for key in 0..<4 { _ = cache.value(for: key, at: self.start) }
    cache.insert(4, for: 4, until: self.start + .hours(1), at: self.start)
    #expect(cache.value(for: 4, at: self.start) == 4)
    #expect((0..<4).filter { cache.value(for: $0, at: self.start) != nil }.count == 3)
  }
}

@Suite struct CredentialKeyTests {
  private let processKey = SymmetricKey(data: [UInt8](repeating: 7, count: 32))

  private func key(_ token: String, generation: String = "g", processKey: SymmetricKey? = nil) -> CredentialKey {
    let maker = CredentialKeyMaker(processKey: processKey ?? self.processKey, generation: Array(generation.utf8))
    return Secret(token).withBytes { maker.key(for: $0) }
  }

  @Test func theSameCredentialHasTheSameKey() {
    let maker = CredentialKeyMaker(processKey: self.processKey, generation: [1])
    let first = Secret("a").withBytes { maker.key(for: $0) }
    _ = Secret("b").withBytes { maker.key(for: $0) }
    #expect(Secret("a").withBytes { maker.key(for: $0) } == first)
    #expect(self.key("a") == self.key("a"))
  }

  @Test func credentialGenerationAndProcessAllCount() {
    let other = SymmetricKey(data: [UInt8](repeating: 8, count: 32))
    let keys = [
      self.key("ab"), self.key("a"), self.key(""), self.key("ab", generation: "h"), self.key("b", generation: "ga"),
      self.key("ab", processKey: other),
    ]
    #expect(Set(keys).count == keys.count)
  }

  @Test func theKeyIsTheMACOfLengthGenerationAndToken() {
    let input = [0, 0, 0, 0, 0, 0, 0, 2] + Array("xytoken".utf8)
    let expected = HMAC<SHA256>.authenticationCode(for: input, using: self.processKey)
    let words = expected.withUnsafeBytes { bytes in (0..<4).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) } }
    #expect("\(words)" == "\(self.key("token", generation: "xy").allWords)")
  }
}

extension CredentialKey {
  fileprivate var allWords: [UInt64] {
    Mirror(reflecting: self).children.flatMap { child in
      Mirror(reflecting: child.value).children.compactMap { $0.value as? UInt64 }
    }
  }
}

@Suite struct SingleFlightTests {
  @Test func everybodyWhoBoardsGetsTheOneAnswer() throws {
    let loop = EmbeddedEventLoop()
    let flights = SingleFlight<String, Int>()
    guard case .leads(let first) = flights.board("a", on: loop), case .joins(let second) = flights.board("a", on: loop),
      case .leads(let other) = flights.board("b", on: loop)
    else {
      Issue.record("one leads, the next joins")
      return
    }
    flights.land("a", with: 1)
    #expect(try first.wait() == 1)
    #expect(try second.wait() == 1)
    flights.land("b", with: 2)
    #expect(try other.wait() == 2)
  }

  @Test func whoBoardsAfterTheLandingStartsANewFlight() throws {
    let loop = EmbeddedEventLoop()
    let flights = SingleFlight<String, Int>()
    _ = flights.board("a", on: loop)
    flights.land("a", with: 1)
    guard case .leads(let future) = flights.board("a", on: loop) else {
      Issue.record("the flight is over")
      return
    }
    flights.land("a", with: 2)
    #expect(try future.wait() == 2)
  }
}

@Suite struct VerificationPoolTests {
  @Test func aFullPoolTakesNoMoreUntilSomethingEnds() async {
    let pool = VerificationPool(threads: 1, waiting: 2)
    let gate = Gate()
    let ended = NIOLockedValueBox(0)
    for _ in 0..<3 {
      #expect(
        pool.run {
          gate.wait()
          ended.withLockedValue { $0 += 1 }
        })
    }
    #expect(!pool.run { Issue.record("must not run") })
    gate.open()
    await withCheckedContinuation { continuation in
      // The room comes back with the end of each; until then there is none.
      while !pool.run({ continuation.resume() }) {}
    }
    #expect(ended.withLockedValue { $0 } >= 1)
  }

  @Test func aPoolThatNobodyHoldsFinishesItsWork() async {
    await withCheckedContinuation { continuation in
      let pool = VerificationPool(threads: 1, waiting: 1)
      #expect(pool.run { continuation.resume() })
    }
  }
}
