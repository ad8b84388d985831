public import Logging
public import SallyportAuthentication
public import SallyportCore

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
    self.threads.run { _ in then(self.judge(attempt)) }
  }

  public func refresh(_ user: StoredUser, then: @escaping @Sendable (StoreRefreshment) -> Void) -> Bool {
    guard let reference = user.reference else { return false }
    return self.threads.run { _ in then(self.refresh(reference)) }
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
