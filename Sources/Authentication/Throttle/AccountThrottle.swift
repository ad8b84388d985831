import NIOCore

/// Decides whether a password may be tried on an account of a directory. A value without I/O: the time is told.
///
/// Directories lock accounts themselves, everywhere and for everything that uses them. So that nobody locks an account
/// there by way of the gateway, the gateway's own limit comes first: failures are counted by the account itself, however
/// its name was typed and from wherever, and attempts that run are counted as failures until they have ended.
///
/// From a network where the user signed in within the last day an attempt is made in spite of the account's lock;
/// ``FailureThrottle`` binds it to the configured failures there. So with `n` failures configured at most `n` wrong
/// passwords reach the account within the time, and `n` more for each network where its owner works: the directory's own
/// limit belongs above twice `n`.
struct AccountThrottle: Sendable {
  private var accounts: FailureTable<String>
  private var running: [String: Int] = [:]

  /// - Parameter capacity: the most accounts that are counted
  init(capacity: Int = 16384) {
    self.accounts = FailureTable(capacity: capacity)
  }

  /// Admits one attempt; ``end(_:as:at:_:)`` follows.
  mutating func begin(
    _ account: String, isFamiliar: Bool, at now: NIODeadline, _ limit: FailureThrottle.Limit
  ) -> FailureThrottle.Admission {
    let count = self.running[account, default: 0]
    if !isFamiliar {
      if let end = self.accounts.lockEnd(of: account, at: now) { return .refused(until: end) }
      guard count < self.accounts.remaining(for: account, at: now, limit.narrow) else { return .refused(until: now + .seconds(1)) }
    }
    self.running[account] = count + 1
    return .admitted
  }

  mutating func end(_ account: String, as ending: FailureThrottle.Ending, at now: NIODeadline, _ limit: FailureThrottle.Limit) {
    let count = self.running[account, default: 1] - 1
    self.running[account] = count > 0 ? count : nil
    switch ending {
    case .abandoned: return
    // A directory forgets its failures then, too.
    case .succeeded: self.accounts.forgetFailures(of: account)
    case .failed: self.accounts.recordFailure(of: account, at: now, limit.narrow)
    }
  }
}
