import Crypto
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// Says who presents a user name and a password by Basic authentication.
///
/// The way of a credential, where every step may end it:
/// 1. it was verified within the last minute: identified, at the cost of one MAC and one look-up, or of one comparison where
///    the same connection presented it last. At half that time the user's groups are looked at again in the background
///    (``Renewal``);
/// 2. it cannot be read: refused. Not counted as a failure, because it is no guess;
/// 3. too much failed before: refused with 429;
/// 4. it was found bad within the last seconds: refused without being verified or counted again. A client that repeats
///    one wrong password learns nothing by it and takes nothing from others;
/// 5. somebody else on the same network waits for the verification of the same: the answer is shared;
/// 6. the stores are asked (``StoreChain``), or it is refused with 503 where they have no room or cannot be reached.
final class PasswordAuthenticator: Sendable {
  let chain: StoreChain
  private let files: [PasswordFile]
  private let cacheLifetime: TimeAmount
  private let negativeLifetime: TimeAmount
  private let limit: AuthenticatorConfiguration.Throttle
  private let keys: CredentialKeyMaker
  /// What every judgement depends on beside the credential.
  private let generation: [UInt8]
  private let memory: AuthenticationMemory
  private let clock: AuthenticationClock
  /// Refusals leave at a multiple of this after they were asked for, where the time of an answer would say who exists.
  private let refusalStep: TimeAmount?
  private let holders: AuthenticatorConfiguration.Holders

  init(configuration: AuthenticatorConfiguration, memory: AuthenticationMemory, clock: AuthenticationClock) {
    let rules = NameRules(allowSystemNames: configuration.allowSystemNames)
    self.chain = StoreChain(configuration.passwords, rules: rules, pool: memory.pool)
    self.files = configuration.passwords.compactMap { if case .file(let file) = $0 { file } else { nil } }
    self.cacheLifetime = TimeAmount(configuration.cache.lifetime)
    self.negativeLifetime = TimeAmount(configuration.cache.negativeLifetime)
    self.limit = configuration.throttle
    self.holders = configuration.holders
    self.refusalStep = self.chain.stores.contains(where: \.answersTellByTime) ? .milliseconds(250) : nil
    self.generation = Self.generation(of: self.chain.stores, configuration.allowSystemNames)
    self.keys = CredentialKeyMaker(processKey: memory.processKey, generation: self.generation)
    self.memory = memory
    self.clock = clock
  }

  func authenticate(
    _ value: Secret, from address: ClientAddress, memory connection: ConnectionMemory? = nil, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    let now = self.clock.monotonic()
    if let last = connection?.authentication {
      if last.holds(for: value, scope: self.generation, at: now) { return .now(.identified(last.identity)) }
      // Whatever comes of this one, the other is wiped.
      connection?.authentication = nil
    }
    return value.withBytes { bytes in
      let field = AuthorizationField(reading: bytes)
      guard field.isBasic else { return self.refused("the Authorization header has a scheme that the route does not accept") }
      // Before the MAC, so that its cost is bounded.
      guard field.token.count <= BasicCredential.longestToken else { return self.refused("the Basic credentials are too long") }
      let token = UnsafeRawBufferPointer(rebasing: bytes[field.token])
      let key = self.keys.key(for: token)
      if let (belief, ends) = self.memory.verified.entry(for: key, at: now) {
        if let renewal = belief.renewal {
          if renewal.claim(at: now) { self.renew(renewal, key) }
        } else {
          // What may yet be looked at again is not remembered: the look may change it.
          connection?.authentication = RememberedAuthentication(value, stoodFor: belief.identity, until: ends, scope: self.generation)
        }
        return .now(.identified(belief.identity))
      }
      do throws(BasicCredential.Malformed) {
        return self.look(at: try BasicCredential(token: token), key, from: address, at: now, on: eventLoop)
      } catch {
        return self.refused(error.reason)
      }
    }
  }

  /// The user that decides about a name: the first file that has it.
  func user(named name: String) -> PasswordFile.User? { self.files.lazy.compactMap { $0.user(named: name) }.first }

  /// Whether a store of this kind is asked.
  func asks(_ method: AuthenticationMethod) -> Bool { self.chain.stores.contains { $0.method == method } }

  private func refused(_ detail: String) -> Answer<AuthenticationOutcome> {
    .now(.refused(AuthenticationProblem.credentialsRefused.with(detail: detail)))
  }

  private func look(
    at credential: BasicCredential, _ key: CredentialKey, from address: ClientAddress, at now: NIODeadline, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    let attempt = FailureThrottle.Attempt(user: credential.username, of: self.holders, network: ClientNetwork(address))
    if case .refused(let end) = self.memory.throttle.withLockedValue({ $0.admission(of: attempt, at: now) }) {
      return .now(.refused(Self.throttled(until: end, at: now)))
    }
    if let problem = self.memory.refused.value(for: key, at: now) { return .now(.refused(problem)) }

    let flight = AuthenticationMemory.Flight(credential: key, network: attempt.network)
    switch self.memory.flights.board(flight, on: eventLoop) {
    case .joins(let future): return .later(future)
    case .leads(let future):
      self.verify(credential, from: address, of: attempt, for: flight, at: now, on: eventLoop)
      return .later(future)
    }
  }

  /// Leads a flight: lands it in every case, now or when the verification is done.
  private func verify(
    _ credential: BasicCredential, from address: ClientAddress, of attempt: FailureThrottle.Attempt,
    for flight: AuthenticationMemory.Flight, at now: NIODeadline, on eventLoop: any EventLoop
  ) {
    let (admission, isFamiliar) = self.memory.throttle.withLockedValue { throttle in
      (throttle.begin(attempt, at: now, self.limit), throttle.isFamiliar(attempt, at: now))
    }
    if case .refused(let end) = admission {
      self.memory.flights.land(flight, with: .refused(Self.throttled(until: end, at: now)))
      return
    }
    let gate = AccountGate(accounts: self.memory.accounts, isFamiliar: isFamiliar, limit: self.limit, clock: self.clock)
    let question = PasswordAttempt(username: credential.username, password: credential.password, address: address.ip, gate: gate)
    self.chain.judge(question) { verdict in
      let outcome = self.remember(verdict, of: attempt, gate, flight.credential)
      guard let delay = self.delay(of: verdict, askedAt: now) else { return self.memory.flights.land(flight, with: outcome) }
      // The thread is not held for it.
      eventLoop.scheduleTask(in: delay) { self.memory.flights.land(flight, with: outcome) }
    }
  }

  // MARK: When the stores have answered, on any thread

  /// Draws the conclusions of a verdict, first of all: who asks next must find them.
  private func remember(
    _ verdict: StoreChain.Verdict, of attempt: FailureThrottle.Attempt, _ gate: AccountGate, _ key: CredentialKey
  ) -> AuthenticationOutcome {
    let now = self.clock.monotonic()
    func end(as ending: FailureThrottle.Ending) {
      gate.close(as: ending)
      self.memory.throttle.withLockedValue { $0.end(attempt, as: ending, at: now, self.limit) }
    }
    switch verdict {
    case .identified(let identity, let user, let store):
      let ends = now + self.cacheLifetime
      let renewal = user.map { Renewal(of: $0, in: store, due: now + .nanoseconds(self.cacheLifetime.nanoseconds / 2), ends: ends) }
      self.memory.verified.insert(Belief(identity: identity, renewal: renewal), for: key, until: ends, at: now)
      end(as: .succeeded)
      return .identified(identity)
    case .refused(let detail):
      let problem = AuthenticationProblem.credentialsRefused.with(detail: detail)
      self.memory.refused.insert(problem, for: key, until: now + self.negativeLifetime, at: now)
      end(as: .failed)
      return .refused(problem)
    case .locked:
      end(as: .abandoned)
      return .refused(Self.throttled(until: gate.lockEnd ?? now, at: now))
    case .unavailable(let detail):
      end(as: .abandoned)
      return .refused(AuthenticationProblem.passwordStoreUnavailable.with(detail: detail))
    case .busy(let detail):
      end(as: .abandoned)
      return .refused(AuthenticationProblem.authenticationBusy.with(detail: detail))
    }
  }

  /// How long a refusal is held back, so that its time says no more than its text.
  private func delay(of verdict: StoreChain.Verdict, askedAt start: NIODeadline) -> TimeAmount? {
    guard let step = self.refusalStep?.nanoseconds else { return nil }
    switch verdict {
    case .refused, .locked: return .nanoseconds(step - (self.clock.monotonic() - start).nanoseconds % step)
    case .identified, .unavailable, .busy: return nil
    }
  }

  /// Looks at the user of a belief again; the belief stays as it is where that cannot be done.
  private func renew(_ renewal: Renewal, _ key: CredentialKey) {
    _ = renewal.store.refresh(renewal.user) { refreshment in
      let belief: Belief?
      switch refreshment {
      case .unavailable: return
      case .gone: belief = nil
      case .current(let user):
        switch self.chain.identity(of: user, in: renewal.store) {
        case .success(let identity): belief = Belief(identity: identity, renewal: nil)
        case .failure: belief = nil
        }
      }
      // A password that was verified in between made a belief of its own, which is newer than this look.
      self.memory.verified.update(key, at: self.clock.monotonic()) { $0.renewal === renewal ? belief : $0 }
    }
  }

  // MARK: Values

  private static func throttled(until end: NIODeadline, at now: NIODeadline) -> Problem {
    // Rounded up: a client that comes back then finds the door open.
    let seconds = (max(0, (end - now).nanoseconds) + 999_999_999) / 1_000_000_000
    var problem = AuthenticationProblem.credentialsThrottled.with(detail: "locked for another \(seconds) s")
    problem.retryAfterSeconds = Int(seconds)
    return problem
  }

  /// A hash of everything that a judgement depends on, each part behind its length.
  private static func generation(of stores: [any PasswordStore], _ allowSystemNames: Set<String>) -> [UInt8] {
    var hash = SHA256()
    func add(_ part: some Collection<UInt8>) {
      withUnsafeBytes(of: UInt64(part.count).bigEndian) { hash.update(bufferPointer: $0) }
      hash.update(data: Array(part))
    }
    for store in stores {
      add(store.method.rawValue.utf8)
      add(store.fingerprint)
    }
    add([])
    for name in allowSystemNames.sorted() { add(name.utf8) }
    return Array(hash.finalize())
  }
}
