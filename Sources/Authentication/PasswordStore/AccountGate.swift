import NIOConcurrencyHelpers
import NIOCore

/// Counts one attempt against the accounts that it is tried on; closed in every case when the attempt has ended.
final class AccountGate: Sendable {
  private struct State {
    var entered: [String] = []
    var lockEnd: NIODeadline?
  }

  private let accounts: NIOLockedValueBox<AccountThrottle>
  private let isFamiliar: Bool
  private let limit: AuthenticatorConfiguration.Throttle
  private let clock: AuthenticationClock
  private let state = NIOLockedValueBox(State())

  /// - Parameter isFamiliar: whether the user signed in from the same network lately
  init(
    accounts: NIOLockedValueBox<AccountThrottle>, isFamiliar: Bool, limit: AuthenticatorConfiguration.Throttle, clock: AuthenticationClock
  ) {
    self.accounts = accounts
    self.isFamiliar = isFamiliar
    self.limit = limit
    self.clock = clock
  }

  func enter(_ account: String) -> Bool {
    let now = self.clock.monotonic()
    let admission = self.accounts.withLockedValue { $0.begin(account, isFamiliar: self.isFamiliar, at: now, self.limit) }
    return self.state.withLockedValue { state in
      switch admission {
      case .admitted: state.entered.append(account)
      case .refused(let end): state.lockEnd = end
      }
      return admission == .admitted
    }
  }

  /// When the lock ends that an attempt ran into.
  var lockEnd: NIODeadline? { self.state.withLockedValue { $0.lockEnd } }

  func close(as ending: FailureThrottle.Ending) {
    let now = self.clock.monotonic()
    let entered = self.state.withLockedValue { state in
      defer { state.entered = [] }
      return state.entered
    }
    self.accounts.withLockedValue { accounts in
      for account in entered { accounts.end(account, as: ending, at: now, self.limit) }
    }
  }
}
