import Dispatch
public import Logging
public import SallyportAuthentication
public import SallyportCore
import Synchronization

/// Verifies passwords by a service of PAM: `pam_authenticate`, then `pam_acct_mgmt`.
///
/// What the service's file in `/etc/pam.d` says is what counts: local accounts, Kerberos, RADIUS, one-time passwords that
/// are typed behind the password.
public final class PAMStore: PasswordStore {
  private let configuration: PAMConfiguration
  private let threads: StoreThreads<Void>
  private let logger: Logger

  public init(_ configuration: PAMConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    self.threads = StoreThreads(name: "pam", count: configuration.threads, waiting: configuration.waiting) {}
  }

  public var method: AuthenticationMethod { .pam }
  public var answersTellByTime: Bool { true }
  public var fingerprint: [UInt8] { Array("\(self.configuration)".utf8) }

  public func judge(_ attempt: PasswordAttempt, then: @escaping @Sendable (StoreJudgement) -> Void) -> Bool {
    self.run(orElse: StoreJudgement.unavailable(self.tooLate), then) { self.judge(attempt) }
  }

  public func refresh(_ user: StoredUser, then: @escaping @Sendable (StoreRefreshment) -> Void) -> Bool {
    guard let reference = user.reference else { return false }
    return self.run(orElse: StoreRefreshment.unavailable(self.tooLate), then) { self.refresh(reference) }
  }

  private var tooLate: String { "PAM did not answer within \(self.configuration.timeout)" }

  /// Runs work on a thread, and answers for it when its time is over: modules know no timeout, and cannot be stopped from outside.
  /// What has not begun by then is not begun any more.
  private func run<Value: Sendable>(
    orElse late: Value, _ then: @escaping @Sendable (Value) -> Void, _ work: @escaping @Sendable () -> Value
  ) -> Bool {
    let answer = FirstAnswer(then)
    guard self.threads.run({ _ in if !answer.isGiven { answer.give(work()) } }) else { return false }
    let nanoseconds = Int(min(self.configuration.timeout / .nanoseconds(1), 1e15))
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { answer.give(late) }
    return true
  }

  // MARK: On a thread of the store's own

  private func judge(_ attempt: PasswordAttempt) -> StoreJudgement {
    guard !attempt.password.isEmpty else { return .refused("the password is empty") }
    // In lower case: names in other letter cases may be the same account to a module.
    guard attempt.mayTry(account: "pam \(attempt.username.lowercased())") else { return .locked }
    return PAMTransaction.with(self.configuration, user: attempt.username, password: attempt.password, address: attempt.address) {
      switch $0.authenticate() {
      case .good: break
      case .unknown: return .unknown
      case .refused(let reason): return .refused(reason)
      case .unavailable(let reason): return .unavailable(reason)
      }
      switch $0.judgeAccount() {
      case .good: return $0.storedUser(typed: attempt.username).map { .identified($0) } ?? .unavailable("the user's groups cannot be read")
      case .unknown: return .refused("the account service does not know the user")
      case .refused(let reason): return .refused(reason)
      case .unavailable(let reason): return .unavailable(reason)
      }
    } failure: {
      .unavailable($0)
    }
  }

  private func refresh(_ reference: StoredUser.Reference) -> StoreRefreshment {
    let outcome: StoreRefreshment = PAMTransaction.with(self.configuration, user: reference.account, password: nil, address: "") {
      switch $0.judgeAccount() {
      case .good:
        return $0.storedUser(typed: reference.typedName).map { .current($0) } ?? .unavailable("the user's groups cannot be read")
      case .unknown: return .gone("the account service does not know the user any more")
      case .refused(let reason): return .gone(reason)
      case .unavailable(let reason): return .unavailable(reason)
      }
    } failure: {
      .unavailable($0)
    }
    if case .gone(let reason) = outcome {
      self.logger.notice("a signed-in user is no longer admitted", metadata: ["user": "\(reference.account)", "reason": "\(reason)"])
    }
    return outcome
  }
}

/// Gives the first of several answers, and no other.
private final class FirstAnswer<Value: Sendable>: Sendable {
  private let then: @Sendable (Value) -> Void
  private let given = Atomic<Bool>(false)

  init(_ then: @escaping @Sendable (Value) -> Void) { self.then = then }

  var isGiven: Bool { self.given.load(ordering: .acquiring) }

  func give(_ value: Value) {
    if self.given.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged { self.then(value) }
  }
}
