import NIOConcurrencyHelpers
import SallyportCore

@testable import SallyportAuthentication

/// A store that answers what a test says.
final class ScriptedStore: PasswordStore {
  typealias Judge = @Sendable (PasswordAttempt) -> StoreJudgement

  struct Script: Sendable {
    var judge: Judge
    var refresh: @Sendable (StoredUser) -> StoreRefreshment = { _ in .unavailable("no script") }
    /// Whether it has room.
    var takes = true
    /// Whether answers are kept until ``ScriptedStore/letGo()``.
    var holds = false
  }

  let method: AuthenticationMethod
  let fingerprint: [UInt8]
  let answersTellByTime: Bool
  private let script: NIOLockedValueBox<Script>
  private let held = NIOLockedValueBox<[@Sendable () -> Void]>([])
  private let counts = NIOLockedValueBox((asked: 0, refreshed: 0))

  init(_ method: AuthenticationMethod = .ldap, name: String = "a", tellsByTime: Bool = false, judge: @escaping Judge) {
    self.method = method
    self.fingerprint = Array(name.utf8)
    self.answersTellByTime = tellsByTime
    self.script = NIOLockedValueBox(Script(judge: judge))
  }

  /// How often it was asked about a password, and about a user without one.
  var asked: Int { self.counts.withLockedValue { $0.asked } }
  var refreshed: Int { self.counts.withLockedValue { $0.refreshed } }

  func change(_ change: (inout Script) -> Void) { self.script.withLockedValue(change) }

  func letGo() {
    let held = self.held.withLockedValue { held in
      defer { held = [] }
      return held
    }
    for answer in held { answer() }
  }

  func judge(_ attempt: PasswordAttempt, then: @escaping @Sendable (StoreJudgement) -> Void) -> Bool {
    let script = self.script.withLockedValue { $0 }
    guard script.takes else { return false }
    self.counts.withLockedValue { $0.asked += 1 }
    let judgement = script.judge(attempt)
    if script.holds { self.held.withLockedValue { $0.append { then(judgement) } } } else { then(judgement) }
    return true
  }

  func refresh(_ user: StoredUser, then: @escaping @Sendable (StoreRefreshment) -> Void) -> Bool {
    let script = self.script.withLockedValue { $0 }
    guard script.takes else { return false }
    self.counts.withLockedValue { $0.refreshed += 1 }
    then(script.refresh(user))
    return true
  }

  /// Knows `alice`, by any spelling, with the password `good`.
  static func alice(_ groups: String..., name: String = "a", tellsByTime: Bool = false) -> ScriptedStore {
    ScriptedStore(name: name, tellsByTime: tellsByTime) { attempt in
      guard attempt.username.lowercased() == "alice" else { return .unknown }
      guard attempt.mayTry(account: "uid=alice") else { return .locked }
      guard attempt.password == Secret("good") else { return .refused("wrong password") }
      return .identified(
        StoredUser(username: "alice", groups: groups, reference: .init(account: "uid=alice", typedName: attempt.username)))
    }
  }
}
