import Foundation
import SallyportSessions
import TestSupport
import Testing

@Suite struct SessionTableTests {
  private static let start = Date(timeIntervalSince1970: 1_800_000_000)
  private static let limits = SessionLimits(idle: .seconds(60), lifetime: .seconds(600), perUser: 2, total: 4)

  private static func key(_ number: UInt8) -> SessionKey { SessionKey(bytes: [number]) }

  private static func session(of user: UInt8 = 1, at time: Date = start, version: UInt64 = 1) -> StoredSession {
    StoredSession(
      user: SessionUser(bytes: [user]), began: time, ends: time.addingTimeInterval(600), sealed: [user], version: version)
  }

  @Test func aSessionIsFoundUntilItWasIdleForTooLong() {
    var table = SessionTable()
    #expect(table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start) == .began(ended: []))
    #expect(table.use(Self.key(1), Self.limits, at: Self.start + 59) != nil)
    #expect(table.use(Self.key(1), Self.limits, at: Self.start + 118) != nil)
    #expect(table.use(Self.key(1), Self.limits, at: Self.start + 178) == nil)
    #expect(table.use(Self.key(1), Self.limits, at: Self.start + 120) == nil, "what has ended does not come back")
    #expect(table.count == 0)
  }

  @Test func useProlongsNoSessionBeyondItsEnd() {
    var table = SessionTable()
    _ = table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start)
    for second in stride(from: 50.0, to: 600, by: 50) { #expect(table.use(Self.key(1), Self.limits, at: Self.start + second) != nil) }
    #expect(table.use(Self.key(1), Self.limits, at: Self.start + 600) == nil)
  }

  @Test func aShorterLifetimeHoldsForSessionsThatAreThere() {
    var table = SessionTable()
    _ = table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start)
    var shorter = Self.limits
    shorter.lifetime = .seconds(30)
    #expect(table.use(Self.key(1), shorter, at: Self.start + 30) == nil)
  }

  @Test func aClockThatIsSetBackEndsNothing() {
    var table = SessionTable()
    _ = table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start)
    #expect(table.use(Self.key(1), Self.limits, at: Self.start - 1000) != nil)
    #expect(table.use(Self.key(1), Self.limits, at: Self.start + 59) != nil)
  }

  @Test func oneTooManyOfAUsersEndsTheOneThatWasUsedLeast() {
    var table = SessionTable()
    _ = table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start)
    _ = table.begin(Self.session(), as: Self.key(2), Self.limits, at: Self.start + 1)
    _ = table.use(Self.key(1), Self.limits, at: Self.start + 2)
    #expect(table.begin(Self.session(), as: Self.key(3), Self.limits, at: Self.start + 3) == .began(ended: [Self.key(2)]))
    #expect(table.use(Self.key(1), Self.limits, at: Self.start + 3) != nil)
    #expect(table.use(Self.key(2), Self.limits, at: Self.start + 3) == nil)
    // Another user's are left alone.
    #expect(table.begin(Self.session(of: 2), as: Self.key(4), Self.limits, at: Self.start + 3) == .began(ended: []))
    #expect(table.count == 3)
  }

  @Test func whoIsRefusedHasLostNothing() {
    var table = SessionTable()
    _ = table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start)
    _ = table.begin(Self.session(), as: Self.key(2), Self.limits, at: Self.start)
    _ = table.begin(Self.session(of: 2), as: Self.key(3), Self.limits, at: Self.start)
    // Fewer are allowed by now than there are.
    var fewer = Self.limits
    fewer.total = 2
    #expect(table.begin(Self.session(), as: Self.key(4), replacing: [Self.key(1)], fewer, at: Self.start + 1) == .full)
    #expect(table.begin(Self.session(of: 3), as: Self.key(4), replacing: [Self.key(9)], fewer, at: Self.start + 1) == .full)
    for number: UInt8 in 1...3 { #expect(table.use(Self.key(number), Self.limits, at: Self.start + 1) != nil) }
    // What a session takes the place of makes room, among the user's own and among all.
    fewer.total = 3
    let replaced = [Self.key(1), Self.key(1), Self.key(9)]
    #expect(table.begin(Self.session(), as: Self.key(4), replacing: replaced, fewer, at: Self.start + 1) == .began(ended: [Self.key(1)]))
    #expect(table.use(Self.key(2), Self.limits, at: Self.start + 1) != nil && table.count == 3)
  }

  @Test func aTagFindsItsSessionsAndNoOthers() {
    func session(of user: UInt8, _ tags: UInt8...) -> StoredSession {
      StoredSession(
        user: SessionUser(bytes: [user]), tags: tags.map { SessionTag(bytes: [$0]) }, began: Self.start, ends: Self.start + 600,
        sealed: [])
    }
    var table = SessionTable()
    for (number, session): (UInt8, StoredSession) in [(1, session(of: 1, 8, 9)), (2, session(of: 2, 9)), (3, session(of: 3, 8))] {
      #expect(table.begin(session, as: Self.key(number), Self.limits, at: Self.start) == .began(ended: []))
    }
    #expect(Set(table.endAll(tagged: SessionTag(bytes: [9]))) == [Self.key(1), Self.key(2)])
    #expect(table.endAll(tagged: SessionTag(bytes: [9])) == [])
    table.end(Self.key(3))
    #expect(table.endAll(tagged: SessionTag(bytes: [8])) == [] && table.count == 0)
  }

  @Test func whenAllPlacesAreTakenNobodyIsSignedOutForAnother() {
    var table = SessionTable()
    for number in UInt8(1)...4 {
      #expect(table.begin(Self.session(of: number), as: Self.key(number), Self.limits, at: Self.start) == .began(ended: []))
    }
    #expect(table.begin(Self.session(of: 5), as: Self.key(5), Self.limits, at: Self.start + 59) == .full)
    #expect(table.use(Self.key(1), Self.limits, at: Self.start + 59) != nil)
    // What is over makes room.
    #expect(table.begin(Self.session(of: 5), as: Self.key(5), Self.limits, at: Self.start + 61) == .began(ended: []))
    #expect(table.count == 2)
  }

  @Test func allThatAreNotOverAreListed() {
    var table = SessionTable()
    _ = table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start)
    _ = table.begin(Self.session(of: 2), as: Self.key(2), Self.limits, at: Self.start)
    _ = table.use(Self.key(2), Self.limits, at: Self.start + 30)
    let all = table.all(Self.limits, at: Self.start + 59)
    #expect(Set(all.map(\.key)) == [Self.key(1), Self.key(2)])
    let left = [KeptSession(key: Self.key(2), session: Self.session(of: 2), used: Self.start + 30)]
    #expect(table.all(Self.limits, at: Self.start + 60) == left)
    #expect(table.all(Self.limits, at: Self.start + 90) == [])
  }

  @Test func signingOutEndsOneAndRevokingEndsAllOfAUser() {
    var table = SessionTable()
    _ = table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start)
    _ = table.begin(Self.session(), as: Self.key(2), Self.limits, at: Self.start)
    _ = table.begin(Self.session(of: 2), as: Self.key(3), Self.limits, at: Self.start)
    table.end(Self.key(1))
    table.end(Self.key(1))
    #expect(table.use(Self.key(1), Self.limits, at: Self.start) == nil)
    #expect(table.endAll(of: SessionUser(bytes: [1])) == [Self.key(2)])
    #expect(table.endAll(of: SessionUser(bytes: [1])) == [])
    #expect(table.count == 1)
  }

  @Test func ofTwoChangesOfTheSameVersionOneIsTaken() {
    var table = SessionTable()
    _ = table.begin(Self.session(), as: Self.key(1), Self.limits, at: Self.start)
    #expect(table.replace(Self.key(1), version: 1, by: [7]) == true)
    #expect(table.replace(Self.key(1), version: 1, by: [8]) == false)
    #expect(table.use(Self.key(1), Self.limits, at: Self.start)?.sealed == [7])
    #expect(table.replace(Self.key(9), version: 1, by: [8]) == false)
  }

  /// Random sequences against the plainest model there is: a list.
  @Test func aModelAgrees() {
    var chance = Chance(seed: 20_261_125)
    for _ in 0..<200 {
      var table = SessionTable()
      var model: [(key: SessionKey, user: UInt8, began: Date, used: Date)] = []
      var now = Self.start
      var next: UInt8 = 0
      func isOver(_ entry: (key: SessionKey, user: UInt8, began: Date, used: Date)) -> Bool {
        now >= entry.began + 600 || now >= entry.used + 60
      }
      for _ in 0..<120 {
        now += Double(chance.count(0...19))
        switch chance.count(0...3) {
        case 0:
          let user = UInt8(chance.count(0...2))
          next &+= 1
          model.removeAll { $0.user == user && isOver($0) }
          if model.count >= 4 { model.removeAll(where: isOver) }
          var ended: [SessionKey] = []
          while model.count(where: { $0.user == user }) >= 2 {
            let oldest = model.filter { $0.user == user }.min { $0.used < $1.used }
            model.removeAll { $0.key == oldest?.key }
            if let oldest { ended.append(oldest.key) }
          }
          let outcome = table.begin(Self.session(of: user, at: now), as: Self.key(next), Self.limits, at: now)
          if model.count < 4 {
            model.append((Self.key(next), user, now, now))
            // Two that were used at the same second may go in either order.
            if case .began(let actual) = outcome { #expect(actual.count == ended.count) } else { Issue.record("\(outcome)") }
            guard outcome == .began(ended: ended) else { return }
          } else {
            #expect(outcome == .full)
          }
        case 1:
          let key = Self.key(UInt8(chance.count(0...Int(next))))
          let index = model.firstIndex { $0.key == key && !isOver($0) }
          #expect((table.use(key, Self.limits, at: now) != nil) == (index != nil))
          if let index { model[index].used = now }
        case 2:
          let key = Self.key(UInt8(chance.count(0...Int(next))))
          table.end(key)
          model.removeAll { $0.key == key }
        default:
          _ = table.sweep(Self.limits, at: now)
          model.removeAll(where: isOver)
          #expect(table.count == model.count)
        }
      }
    }
  }
}
