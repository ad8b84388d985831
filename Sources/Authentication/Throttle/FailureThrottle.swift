import NIOCore

/// Decides whether a password is looked at, from what failed before. A value without I/O: the time is told.
///
/// It is asked behind the cache of good passwords and never about certificates, so that whoever is signed in stays so.
/// Failures are counted three times:
///
/// | counted by | failures | stops |
/// |---|---|---|
/// | user and network | as configured | somebody who guesses at a user, or has forgotten a password |
/// | network | ten times that | one machine that tries a password on every user |
/// | user | ten times that | many machines that guess at one user |
///
/// A network is what ``ClientNetwork`` says. One network alone cannot lock a user out everywhere: that takes ten times the
/// failures from several. Against those who do it, a user who signed in from a network within the last day is asked for a
/// password there in spite of the locks of the second and third kind; the first still binds, so this grants nobody more
/// guesses at a user than the configured ones. What remains: attackers with many networks can keep a user from signing in
/// with a password from a new network for as long as they go on, and somebody behind the same address as the user (a NAT,
/// a balancer that hides its clients) from that one too. Client certificates are the way in then.
///
/// Names are counted as typed, whether or not the user exists, so that a lock does not say so. A good password clears the
/// count of its user and network, and no other: with one account of their own, attackers would reset the rest.
struct FailureThrottle: Sendable {
  typealias Limit = AuthenticatorConfiguration.Throttle

  /// Who tries.
  struct Attempt: Hashable, Sendable {
    let account: Account
    let network: ClientNetwork

    init(user: String, of holders: AuthenticatorConfiguration.Holders = .users, network: ClientNetwork) {
      self.account = Account(holders: holders, name: user)
      self.network = network
    }
  }

  /// Whose password it is; a user and a client may have one name.
  struct Account: Hashable, Sendable {
    let holders: AuthenticatorConfiguration.Holders
    let name: String
  }

  enum Admission: Sendable, Equatable {
    case admitted
    /// Refused until this time.
    case refused(until: NIODeadline)
  }

  /// How much more the counts of the second and third kind allow.
  private static let breadth = 10
  /// How long a user is known at a network.
  private static let familiarity = TimeAmount.hours(24)

  private var attempts: FailureTable<Attempt>
  private var networks: FailureTable<ClientNetwork>
  private var users: FailureTable<Account>
  private var familiar: ExpiringCache<Attempt, Bool>
  /// Verifications that run: a burst of guesses is counted before the first of them has failed.
  private var running: [Attempt: Int] = [:]

  /// - Parameter capacity: the most keys of each count; about 500 bytes each
  init(capacity: Int = 16384) {
    self.attempts = FailureTable(capacity: capacity)
    self.networks = FailureTable(capacity: capacity)
    self.users = FailureTable(capacity: capacity)
    self.familiar = ExpiringCache(capacity: capacity)
  }

  /// Whether the user signed in from this network within the last day.
  mutating func isFamiliar(_ attempt: Attempt, at now: NIODeadline) -> Bool {
    self.familiar.value(for: attempt, at: now) != nil
  }

  /// Whether this attempt is locked out; asks without changing anything.
  mutating func admission(of attempt: Attempt, at now: NIODeadline) -> Admission {
    let own = self.attempts.lockEnd(of: attempt, at: now)
    let isFamiliar = self.isFamiliar(attempt, at: now)
    let broad = isFamiliar ? nil : self.broadLockEnd(of: attempt, at: now)
    guard let end = [own, broad].compactMap({ $0 }).max() else { return .admitted }
    return .refused(until: end)
  }

  /// Admits one verification; ``end(_:as:at:_:)`` follows.
  mutating func begin(_ attempt: Attempt, at now: NIODeadline, _ limit: Limit) -> Admission {
    let admission = self.admission(of: attempt, at: now)
    guard admission == .admitted else { return admission }
    let count = self.running[attempt, default: 0]
    guard count < self.attempts.remaining(for: attempt, at: now, limit.narrow) else {
      // Those that run may yet turn out well: worth asking again in a moment.
      return .refused(until: now + .seconds(1))
    }
    self.running[attempt] = count + 1
    return .admitted
  }

  enum Ending: Sendable {
    case succeeded, failed
    /// Nothing was learned of the password: there was no room for the verification.
    case abandoned
  }

  mutating func end(_ attempt: Attempt, as ending: Ending, at now: NIODeadline, _ limit: Limit) {
    let count = self.running[attempt, default: 1] - 1
    self.running[attempt] = count > 0 ? count : nil
    switch ending {
    case .abandoned: return
    case .succeeded:
      self.attempts.forgetFailures(of: attempt)
      self.familiar.insert(true, for: attempt, until: now + Self.familiarity, at: now)
    case .failed:
      self.attempts.recordFailure(of: attempt, at: now, limit.narrow)
      self.networks.recordFailure(of: attempt.network, at: now, limit.broad(Self.breadth))
      self.users.recordFailure(of: attempt.account, at: now, limit.broad(Self.breadth))
    }
  }

  private func broadLockEnd(of attempt: Attempt, at now: NIODeadline) -> NIODeadline? {
    [self.networks.lockEnd(of: attempt.network, at: now), self.users.lockEnd(of: attempt.account, at: now)].compactMap { $0 }.max()
  }
}

extension FailureThrottle.Limit {
  var narrow: FailureLimit { self.broad(1) }

  fileprivate func broad(_ factor: Int) -> FailureLimit {
    FailureLimit(failures: max(1, self.failures) * factor, per: TimeAmount(self.per), lockout: TimeAmount(self.lockout))
  }
}
