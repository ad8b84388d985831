import Crypto
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// Says who presents a user name and a password by Basic authentication.
///
/// The way of a credential, where every step may end it:
/// 1. it was verified within the last minute: identified, at the cost of one MAC and one look-up;
/// 2. it cannot be read: refused. Not counted as a failure, because it is no guess;
/// 3. too much failed before: refused with 429;
/// 4. it was found bad within the last seconds: refused without being verified or counted again. A client that repeats
///    one wrong password learns nothing by it and takes nothing from others;
/// 5. somebody else on the same network waits for the verification of the same: the answer is shared;
/// 6. it is hashed on the ``VerificationPool``, or refused with 503 where that has no room.
final class PasswordAuthenticator: Sendable {
  private let files: [PasswordFile]
  private let rules: NameRules
  private let decoy: PasswordHash?
  private let cacheLifetime: TimeAmount
  private let negativeLifetime: TimeAmount
  private let limit: AuthenticatorConfiguration.Throttle
  private let keys: CredentialKeyMaker
  private let memory: AuthenticationMemory
  private let clock: AuthenticationClock

  init(configuration: AuthenticatorConfiguration, memory: AuthenticationMemory, clock: AuthenticationClock) {
    self.files = configuration.passwordFiles
    self.rules = NameRules(allowSystemNames: configuration.allowSystemNames)
    self.decoy = configuration.passwordFiles.lazy.compactMap(\.decoy).first
    self.cacheLifetime = TimeAmount(configuration.cache.lifetime)
    self.negativeLifetime = TimeAmount(configuration.cache.negativeLifetime)
    self.limit = configuration.throttle
    self.keys = CredentialKeyMaker(processKey: memory.processKey, generation: Self.generation(of: configuration))
    self.memory = memory
    self.clock = clock
  }

  func authenticate(_ value: Secret, from address: ClientAddress, on eventLoop: any EventLoop) -> Answer<AuthenticationOutcome> {
    value.withBytes { bytes in
      let field = AuthorizationField(reading: bytes)
      guard field.isBasic else { return self.refused("the Authorization header has a scheme that the route does not accept") }
      // Before the MAC, so that its cost is bounded.
      guard field.token.count <= BasicCredential.longestToken else { return self.refused("the Basic credentials are too long") }
      let token = UnsafeRawBufferPointer(rebasing: bytes[field.token])
      let key = self.keys.key(for: token)
      let now = self.clock.monotonic()
      if let identity = self.memory.verified.value(for: key, at: now) { return .now(.identified(identity)) }
      do throws(BasicCredential.Malformed) {
        return self.look(at: try BasicCredential(token: token), key, from: ClientNetwork(address), at: now, on: eventLoop)
      } catch {
        return self.refused(error.reason)
      }
    }
  }

  /// The user that decides about a name: the first file that has it.
  func user(named name: String) -> PasswordFile.User? { self.files.lazy.compactMap { $0.user(named: name) }.first }

  private func refused(_ detail: String) -> Answer<AuthenticationOutcome> {
    .now(.refused(AuthenticationProblem.credentialsRefused.with(detail: detail)))
  }

  private func look(
    at credential: BasicCredential, _ key: CredentialKey, from network: ClientNetwork, at now: NIODeadline, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    let attempt = FailureThrottle.Attempt(user: credential.username, network: network)
    if case .refused(let end) = self.memory.throttle.withLockedValue({ $0.admission(of: attempt, at: now) }) {
      return .now(.refused(Self.throttled(until: end, at: now)))
    }
    if let problem = self.memory.refused.value(for: key, at: now) { return .now(.refused(problem)) }

    let flight = AuthenticationMemory.Flight(credential: key, network: network)
    switch self.memory.flights.board(flight, on: eventLoop) {
    case .joins(let future): return .later(future)
    case .leads(let future):
      self.verify(credential, of: attempt, for: flight, at: now)
      return .later(future)
    }
  }

  /// Leads a flight: lands it in every case, now or when the verification is done.
  private func verify(
    _ credential: BasicCredential, of attempt: FailureThrottle.Attempt, for flight: AuthenticationMemory.Flight, at now: NIODeadline
  ) {
    if case .refused(let end) = self.memory.throttle.withLockedValue({ $0.begin(attempt, at: now, self.limit) }) {
      self.memory.flights.land(flight, with: .refused(Self.throttled(until: end, at: now)))
      return
    }
    let isRunning = self.memory.pool.run {
      let judgement = self.judge(credential)
      self.memory.flights.land(flight, with: self.remember(judgement, of: attempt, flight.credential))
    }
    if !isRunning {
      self.memory.throttle.withLockedValue { $0.end(attempt, as: .abandoned, at: now, self.limit) }
      self.memory.flights.land(flight, with: .refused(AuthenticationProblem.authenticationBusy.with(detail: "the queue is full")))
    }
  }

  // MARK: On a thread of the pool

  private enum Judgement {
    case identified(Identity)
    case refused(String)
    /// Nothing was learned of the credential.
    case failed(String)
  }

  /// Compares the password with the user's hash, or with the decoy where there is no such user, so that the time says as
  /// little as the answer. Users whose hash is of another kind or cost than most still differ in time.
  private func judge(_ credential: BasicCredential) -> Judgement {
    let user = self.files.lazy.compactMap { $0.user(named: credential.username) }.first
    guard let hash = user?.hash ?? self.decoy else { return .refused("there are no users") }
    let verdict = PasswordVerifier.verify(credential.password, against: hash)
    if verdict == .failed { return .failed("libcrypt could not compute a \(hash.kind.rawValue) hash") }
    // The name that was typed is not repeated: people type passwords into the wrong field.
    guard let user else { return .refused("no password file has the user") }
    let name = user.identity.username
    switch verdict {
    case .failed, .differs: return .refused("wrong password for user \(name)")
    case .tooLongForBcrypt: return .refused("user \(name) has a password of more than 72 bytes, of which bcrypt reads only these")
    case .matches: break
    }
    guard !user.isDisabled else { return .refused("user \(name) is disabled") }
    // The file was read with a list of its own; the generation's list is the one that counts.
    guard ([name] + user.identity.groups).allSatisfy({ self.rules.fault(in: $0) == nil }) else {
      return .refused("user \(name) has a name or group that the configuration does not allow")
    }
    return .identified(user.identity)
  }

  private func remember(_ judgement: Judgement, of attempt: FailureThrottle.Attempt, _ key: CredentialKey) -> AuthenticationOutcome {
    let now = self.clock.monotonic()
    switch judgement {
    case .identified(let identity):
      self.memory.verified.insert(identity, for: key, until: now + self.cacheLifetime, at: now)
      self.memory.throttle.withLockedValue { $0.end(attempt, as: .succeeded, at: now, self.limit) }
      return .identified(identity)
    case .refused(let detail):
      let problem = AuthenticationProblem.credentialsRefused.with(detail: detail)
      self.memory.refused.insert(problem, for: key, until: now + self.negativeLifetime, at: now)
      self.memory.throttle.withLockedValue { $0.end(attempt, as: .failed, at: now, self.limit) }
      return .refused(problem)
    case .failed(let detail):
      self.memory.throttle.withLockedValue { $0.end(attempt, as: .abandoned, at: now, self.limit) }
      return .refused(AuthenticationProblem.authenticationBusy.with(detail: detail))
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
  private static func generation(of configuration: AuthenticatorConfiguration) -> [UInt8] {
    var hash = SHA256()
    func add(_ part: some Collection<UInt8>) {
      withUnsafeBytes(of: UInt64(part.count).bigEndian) { hash.update(bufferPointer: $0) }
      hash.update(data: Array(part))
    }
    for file in configuration.passwordFiles {
      add(file.name.utf8)
      add(file.contentHash)
    }
    add([])
    for name in configuration.allowSystemNames.sorted() { add(name.utf8) }
    return Array(hash.finalize())
  }
}
