import NIOCore
import SallyportCore
import Testing

@testable import SallyportAuthentication

@Suite struct ClientNetworkTests {
  private func network(_ ip: String) -> ClientNetwork { ClientNetwork(ClientAddress(ip: ip, port: 1)) }

  @Test func anIPv4AddressIsItsOwnNetwork() {
    #expect(self.network("192.0.2.7") == .ipv4(0xC000_0207))
    #expect(self.network("192.0.2.7") != self.network("192.0.2.8"))
  }

  @Test func anIPv6AddressStandsForItsSlash64() {
    #expect(self.network("2001:db8:1:2::1") == self.network("2001:db8:1:2:ffff:ffff:ffff:ffff"))
    #expect(self.network("2001:db8:1:2::1") != self.network("2001:db8:1:3::1"))
    #expect(self.network("::1") == .ipv6(0))
  }

  @Test func aMappedIPv4AddressIsTheIPv4Address() {
    #expect(self.network("::ffff:192.0.2.7") == self.network("192.0.2.7"))
    #expect(self.network("::ffff:192.0.2.7") != self.network("::ffff:192.0.2.8"))
  }

  @Test(arguments: ["", "localhost", "192.0.2", "192.0.2.7:80", "fe80::1%eth0"])
  func everythingElseIsUnknownTogether(_ ip: String) {
    #expect(self.network(ip) == .unknown)
  }
}

@Suite struct FailureTableTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000)
  private let limit = FailureLimit(failures: 3, per: .seconds(60), lockout: .seconds(300))

  @Test func soManyFailuresWithinTheTimeLock() {
    var table = FailureTable<String>(capacity: 8)
    for second: Int64 in [0, 10, 20] {
      #expect(table.lockEnd(of: "a", at: self.start + .seconds(20)) == nil)
      table.recordFailure(of: "a", at: self.start + .seconds(second), self.limit)
    }
    #expect(table.lockEnd(of: "a", at: self.start + .seconds(20)) == self.start + .seconds(320))
    #expect(table.lockEnd(of: "b", at: self.start + .seconds(20)) == nil)
    #expect(table.lockEnd(of: "a", at: self.start + .seconds(320)) == nil)
  }

  @Test func theTimeSlides() {
    var table = FailureTable<String>(capacity: 8)
    for second: Int64 in [0, 50, 60] { table.recordFailure(of: "a", at: self.start + .seconds(second), self.limit) }
    #expect(table.lockEnd(of: "a", at: self.start + .seconds(60)) == nil)
    #expect(table.remaining(for: "a", at: self.start + .seconds(60), self.limit) == 1)
    table.recordFailure(of: "a", at: self.start + .seconds(100), self.limit)
    #expect(table.lockEnd(of: "a", at: self.start + .seconds(100)) != nil)
  }

  @Test func forgettingFailuresLeavesALock() {
    var table = FailureTable<String>(capacity: 8)
    for _ in 0..<2 { table.recordFailure(of: "a", at: self.start, self.limit) }
    table.forgetFailures(of: "a")
    #expect(table.remaining(for: "a", at: self.start, self.limit) == 3)
    for _ in 0..<3 { table.recordFailure(of: "a", at: self.start, self.limit) }
    table.forgetFailures(of: "a")
    #expect(table.lockEnd(of: "a", at: self.start) != nil)
  }

  @Test func inventedKeysDoNotPushOutWhatMatters() {
    var table = FailureTable<Int>(capacity: 64)
    for _ in 0..<3 { table.recordFailure(of: -1, at: self.start, self.limit) }
    for _ in 0..<2 { table.recordFailure(of: -2, at: self.start, self.limit) }
    for key in 0..<10_000 { table.recordFailure(of: key, at: self.start, self.limit) }
    #expect(table.count == 64)
    #expect(table.lockEnd(of: -1, at: self.start) != nil)
    #expect(table.remaining(for: -2, at: self.start, self.limit) == 1)
  }

  @Test func aTableOfLocksStillTakesNewKeys() {
    var table = FailureTable<Int>(capacity: 4)
    for key in 0..<8 { for _ in 0..<3 { table.recordFailure(of: key, at: self.start, self.limit) } }
    #expect(table.count == 4)
    #expect(table.lockEnd(of: 7, at: self.start) != nil)
  }
}

@Suite struct FailureThrottleTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000)
  private let limit = AuthenticatorConfiguration.Throttle(failures: 3, per: .seconds(60), lockout: .seconds(300))
  private let aliceHere = FailureThrottle.Attempt(user: "alice", network: .ipv4(1))
  private let aliceThere = FailureThrottle.Attempt(user: "alice", network: .ipv4(2))
  private let bobHere = FailureThrottle.Attempt(user: "bob", network: .ipv4(1))

  /// One attempt from beginning to end, if it is admitted.
  @discardableResult private func attempt(
    _ throttle: inout FailureThrottle, _ attempt: FailureThrottle.Attempt, _ ending: FailureThrottle.Ending = .failed,
    at now: NIODeadline? = nil
  ) -> Bool {
    guard throttle.begin(attempt, at: now ?? self.start, self.limit) == .admitted else { return false }
    throttle.end(attempt, as: ending, at: now ?? self.start, self.limit)
    return true
  }

  @Test func onlyTheConfiguredNumberOfFailuresIsLookedAt() {
    var throttle = FailureThrottle()
    for _ in 0..<3 { #expect(self.attempt(&throttle, self.aliceHere)) }
    #expect(throttle.begin(self.aliceHere, at: self.start, self.limit) == .refused(until: self.start + .seconds(300)))
    #expect(throttle.admission(of: self.aliceHere, at: self.start) == .refused(until: self.start + .seconds(300)))
    #expect(self.attempt(&throttle, self.aliceHere, at: self.start + .seconds(300)))
  }

  @Test func aLockConcernsOneUserOnOneNetwork() {
    var throttle = FailureThrottle()
    for _ in 0..<3 { self.attempt(&throttle, self.aliceHere) }
    #expect(self.attempt(&throttle, self.aliceThere))
    #expect(self.attempt(&throttle, self.bobHere))
    #expect(self.attempt(&throttle, FailureThrottle.Attempt(user: "alice", of: .clients, network: .ipv4(1))))
  }

  @Test func aGoodPasswordClearsTheCount() {
    var throttle = FailureThrottle()
    for _ in 0..<2 { self.attempt(&throttle, self.aliceHere) }
    self.attempt(&throttle, self.aliceHere, .succeeded)
    for _ in 0..<3 { #expect(self.attempt(&throttle, self.aliceHere)) }
  }

  @Test func aBurstIsCountedBeforeItHasFailed() {
    var throttle = FailureThrottle()
    for _ in 0..<3 { #expect(throttle.begin(self.aliceHere, at: self.start, self.limit) == .admitted) }
    #expect(throttle.begin(self.aliceHere, at: self.start, self.limit) == .refused(until: self.start + .seconds(1)))
    throttle.end(self.aliceHere, as: .abandoned, at: self.start, self.limit)
    #expect(throttle.begin(self.aliceHere, at: self.start, self.limit) == .admitted)
  }

  @Test func whatWasNotVerifiedDoesNotCount() {
    var throttle = FailureThrottle()
    for _ in 0..<100 { #expect(self.attempt(&throttle, self.aliceHere, .abandoned)) }
  }

  @Test func oneNetworkThatTriesManyUsersIsLocked() {
    var throttle = FailureThrottle()
    let admitted = (0..<100).filter { self.attempt(&throttle, .init(user: "user\($0)", network: .ipv4(1))) }
    #expect(admitted.count == 30)
    #expect(throttle.admission(of: self.bobHere, at: self.start) == .refused(until: self.start + .seconds(300)))
    #expect(throttle.admission(of: self.aliceThere, at: self.start) == .admitted)
  }

  @Test func anAccountOfTheirOwnDoesNotResetTheNetwork() {
    var throttle = FailureThrottle()
    var admitted = 0
    for number in 0..<100 {
      self.attempt(&throttle, self.bobHere, .succeeded)
      if self.attempt(&throttle, .init(user: "user\(number)", network: .ipv4(1))) { admitted += 1 }
    }
    #expect(admitted == 30)
  }

  @Test func oneUserThatManyNetworksTryIsLocked() {
    var throttle = FailureThrottle()
    let admitted = (10..<100).filter { self.attempt(&throttle, .init(user: "alice", network: .ipv4($0))) }
    #expect(admitted.count == 30)
    #expect(throttle.admission(of: self.aliceHere, at: self.start) != .admitted)
    #expect(throttle.admission(of: self.bobHere, at: self.start) == .admitted)
  }

  @Test func aUserIsNotLockedOutWhereItSignedIn() {
    var throttle = FailureThrottle()
    self.attempt(&throttle, self.aliceHere, .succeeded)
    for network in 10..<100 { self.attempt(&throttle, .init(user: "alice", network: .ipv4(UInt32(network)))) }
    #expect(throttle.admission(of: self.aliceThere, at: self.start) != .admitted)
    #expect(throttle.admission(of: self.aliceHere, at: self.start) == .admitted)
    // The exemption is no licence to guess.
    for _ in 0..<3 { #expect(self.attempt(&throttle, self.aliceHere)) }
    #expect(!self.attempt(&throttle, self.aliceHere))
  }

  @Test func aFamiliarNetworkIsForgottenAfterADay() {
    var throttle = FailureThrottle()
    self.attempt(&throttle, self.aliceHere, .succeeded)
    let tomorrow = self.start + .hours(24)
    for network in 10..<100 { self.attempt(&throttle, .init(user: "alice", network: .ipv4(UInt32(network))), at: tomorrow) }
    #expect(throttle.admission(of: self.aliceHere, at: tomorrow) != .admitted)
  }
}
