import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
public import SallyportCore

@testable public import SallyportAuthentication

/// What every place that verifies passwords must do, whatever it is: one suite for password files, directories and PAM.
public struct AuthenticatorConformance: Sendable {
  public struct Person: Sendable {
    public var typed: String
    public var password: String
    /// What the store calls the user.
    public var name: String
    public var groups: [String]

    public init(typed: String, password: String, name: String? = nil, groups: [String] = []) {
      self.typed = typed
      self.password = password
      self.name = name ?? typed
      self.groups = groups
    }
  }

  /// Takes the store's server away and brings it back.
  public struct Outage: Sendable {
    public var begin: @Sendable () async throws -> Void
    public var end: @Sendable () async throws -> Void

    public init(begin: @escaping @Sendable () async throws -> Void, end: @escaping @Sendable () async throws -> Void) {
      self.begin = begin
      self.end = end
    }
  }

  let source: AuthenticatorConfiguration.PasswordSource
  let person: Person
  let other: Person
  let outage: Outage?
  private let broken = NIOLockedValueBox<[String]>([])

  public init(_ source: AuthenticatorConfiguration.PasswordSource, person: Person, other: Person, outage: Outage? = nil) {
    self.source = source
    self.person = person
    self.other = other
    self.outage = outage
  }

  /// Holds the store against all of it.
  ///
  /// - Returns: the promises that it breaks; a test expects none
  public func verify() async throws -> [String] {
    try await self.goodCredentials()
    try await self.badCredentials()
    try await self.whatCannotBeRead()
    try await self.manyAtOnce()
    try await self.throttle()
    if let outage = self.outage { try await self.down(outage) }
    return self.broken.withLockedValue { $0 }
  }

  private func expect(_ condition: Bool, _ promise: String) {
    if !condition { self.broken.withLockedValue { $0.append(promise) } }
  }

  // MARK: Parts

  private func goodCredentials() async throws {
    let desk = Desk(self.source)
    let outcome = try await desk.ask(self.person)
    self.expect(outcome.identifiedUser?.username == self.person.name, "the right password signs in, with the store's name: \(outcome)")
    let groups = outcome.identifiedUser?.groups ?? []
    self.expect(Set(groups) == Set(self.person.groups), "the groups are the store's: \(groups)")
    let second = desk.askNow(self.person.typed, self.person.password)?.identifiedUser
    self.expect(second != nil && second === outcome.identifiedUser, "the second time is answered at once")
    self.expect(try await desk.ask(self.other).identifiedUser?.username == self.other.name, "another user is somebody else")
  }

  private func badCredentials() async throws {
    let wrong = try await Desk(self.source).ask(self.person.typed, "wrong").refusal
    self.expect(wrong?.code == "credentialsRefused" && wrong?.status == 401, "a wrong password is refused: \(String(describing: wrong))")
    let almost = [
      (self.person.typed, self.person.password + "x"), (self.person.typed, String(self.person.password.dropLast())),
      (self.person.typed, self.other.password), (self.other.typed, self.person.password), ("nobody-of-this-name", self.person.password),
      (self.person.typed + "x", self.person.password), (self.person.typed + "*", self.person.password), ("*", self.person.password),
      ("\(self.person.typed))(uid=*", self.person.password), ("\\2a", self.person.password),
      ("\(self.person.typed),ou=people", self.person.password), ("\(self.person.typed)\u{301}", self.person.password),
      ("(\(self.person.typed))", self.person.password), ("../\(self.person.typed)", self.person.password),
    ]
    for (index, (name, password)) in almost.enumerated() {
      let outcome = try await Desk(self.source, network: index).ask(name, password)
      let problem = outcome.refusal
      self.expect(
        problem?.code == wrong?.code && problem?.message == wrong?.message && problem?.retryAfterSeconds == nil,
        "`\(name)` is refused like a wrong password: \(outcome)")
      self.expect(problem?.detail.contains(password) == false, "no password is in a reason")
    }
    // Another spelling of a name may be the same account. Then the identity is the account's, never what was typed.
    for (index, spelling) in [self.person.typed.uppercased(), self.person.typed.capitalized].enumerated() {
      let outcome = try await Desk(self.source, network: 100 + index).ask(spelling, self.person.password)
      self.expect(
        outcome.refusal != nil || outcome.identifiedUser?.username == self.person.name, "`\(spelling)` is nobody of that name: \(outcome)")
    }
  }

  private func whatCannotBeRead() async throws {
    let desk = Desk(self.source)
    if case .now(.nothingPresented) = desk.ask(fields: []) {} else { self.expect(false, "a missing header is nothing presented") }
    for value in ["Basic", "Basic !!!", "Bearer x", "Basic \(String(repeating: "A", count: 60_000))"] {
      guard case .now(.refused(let problem)) = desk.ask(fields: [Secret(value.utf8)]), problem.code == "credentialsRefused" else {
        self.expect(false, "`\(value.prefix(20))` is refused at once")
        continue
      }
    }
    for (name, password) in [
      (self.person.typed, ""), ("", self.person.password), ("\(self.person.typed)\n", self.person.password),
      ("\(self.person.typed)\u{0}", self.person.password), (self.person.typed, "\(self.person.password)\u{0}x"),
      (self.person.typed, String(repeating: "x", count: 600)), (String(repeating: "x", count: 300), self.person.password),
      (" \(self.person.typed)", self.person.password),
    ] {
      let problem = desk.askNow(name, password)?.refusal
      self.expect(problem?.code == "credentialsRefused", "\(name.debugDescription) is refused at once: \(String(describing: problem))")
    }
    self.expect(try await desk.ask(self.person).identifiedUser != nil, "what cannot be read is no guess")
  }

  /// Many at once get one answer each, and each the right one.
  private func manyAtOnce() async throws {
    let desk = Desk(self.source, failures: 1000)
    let asked = (0..<60).map { index -> (Answer<AuthenticationOutcome>, String?) in
      switch index % 3 {
      case 0: (desk.ask(fields: [.basic(self.person.typed, self.person.password)]), self.person.name)
      case 1: (desk.ask(fields: [.basic(self.other.typed, self.other.password)]), self.other.name)
      default: (desk.ask(fields: [.basic(self.person.typed, "wrong \(index)")]), nil)
      }
    }
    for (answer, name) in asked {
      let outcome = try await answer.value
      self.expect(outcome.identifiedUser?.username == name, "of many at once each gets its own answer: \(outcome)")
    }
  }

  private func throttle() async throws {
    let desk = Desk(self.source, failures: 3)
    self.expect(try await desk.ask(self.other).identifiedUser != nil, "the other user signs in")
    for index in 0..<3 {
      let problem = try await desk.ask(self.person.typed, "guess \(index)").refusal
      self.expect(problem?.code == "credentialsRefused", "guess \(index) is refused: \(String(describing: problem))")
    }
    let problem = desk.askNow(self.person.typed, self.person.password)?.refusal
    self.expect(
      problem?.code == "credentialsThrottled" && problem?.status == 429 && problem?.retryAfterSeconds != nil,
      "after too many guesses nothing is looked at: \(String(describing: problem))")
    self.expect(desk.askNow(self.other.typed, self.other.password)?.identifiedUser != nil, "who is signed in stays so")
  }

  private func down(_ outage: Outage) async throws {
    let desk = Desk(self.source)
    self.expect(try await desk.ask(self.person).identifiedUser != nil, "the user signs in before the outage")
    try await outage.begin()
    self.expect(desk.askNow(self.person.typed, self.person.password)?.identifiedUser != nil, "in an outage whoever is known goes on")
    for password in [self.other.password, "wrong"] {
      let outcome = try await desk.ask(self.other.typed, password)
      self.expect(
        outcome.refusal?.status == 503 && outcome.refusal?.retryAfterSeconds != nil,
        "in an outage others are told to come again: \(outcome)")
    }
    try await outage.end()
    let back = ContinuousClock.now
    while try await desk.ask(self.other).identifiedUser == nil {
      guard ContinuousClock.now - back < .seconds(30) else { return self.expect(false, "the store comes back") }
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}

/// An authenticator over one store, asked as requests ask it.
public struct Desk: Sendable {
  private let authenticator: Authenticator
  private let address: ClientAddress
  private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

  public init(
    _ sources: AuthenticatorConfiguration.PasswordSource..., network: Int = 0, failures: Int = 100, lifetime: Duration = .seconds(60),
    memory: AuthenticationMemory = AuthenticationMemory(threads: 2)
  ) {
    let configuration = AuthenticatorConfiguration(
      passwords: sources, cache: .init(lifetime: lifetime), throttle: .init(failures: failures))
    self.authenticator = Authenticator(configuration: configuration, memory: memory)
    self.address = ClientAddress(ip: "192.0.2.\(network % 250 + 1)", port: 40000)
  }

  func ask(fields: [Secret]) -> Answer<AuthenticationOutcome> {
    self.authenticator.authenticate(
      authorization: fields, certificate: nil, from: self.address, accepting: .password, eventLoop: self.eventLoop)
  }

  public func ask(_ name: String, _ password: String) async throws -> AuthenticationOutcome {
    try await self.ask(fields: [.basic(name, password)]).value
  }

  public func ask(_ person: AuthenticatorConformance.Person) async throws -> AuthenticationOutcome {
    try await self.ask(person.typed, person.password)
  }

  /// The outcome, if it is there without any waiting.
  public func askNow(_ name: String, _ password: String) -> AuthenticationOutcome? { self.ask(fields: [.basic(name, password)]).outcomeNow }
}

extension Secret {
  fileprivate static func basic(_ user: String, _ password: String) -> Secret {
    Secret("Basic \(Data("\(user):\(password)".utf8).base64EncodedString())".utf8)
  }
}

extension Answer<AuthenticationOutcome> {
  fileprivate var value: AuthenticationOutcome {
    get async throws {
      switch self {
      case .now(let value): value
      case .later(let future): try await future.get()
      }
    }
  }

  fileprivate var outcomeNow: AuthenticationOutcome? {
    if case .now(let outcome) = self { outcome } else { nil }
  }
}

extension AuthenticationOutcome {
  public var identifiedUser: Identity? {
    if case .identified(let identity) = self { identity } else { nil }
  }

  public var refusal: Problem? {
    if case .refused(let problem) = self { problem } else { nil }
  }
}
