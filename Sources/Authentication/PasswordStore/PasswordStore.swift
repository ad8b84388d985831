public import SallyportCore

/// A place that knows users and their passwords: password files, a directory, PAM.
///
/// Stores are asked in the order of the configuration. What one answers decides whether the next is asked at all:
///
/// | answer | then |
/// |---|---|
/// | identified | the end: this is who it is |
/// | unknown | the next store is asked; behind the last one the password is refused |
/// | refused | the end: 401. A store that knows the name has the say about it |
/// | unavailable | the end: 503. A later store might know the same name as somebody else |
///
/// Every store works on threads of its own and lets a bounded number of attempts wait for them, so that one that hangs
/// holds up nobody but its own users.
public protocol PasswordStore: Sendable {
  /// What the audit record calls an identity of this store.
  var method: AuthenticationMethod { get }
  /// Everything that a judgement depends on, as bytes in any form: a cached judgement is bound to it.
  var fingerprint: [UInt8] { get }
  /// Whether the time of an answer depends on somebody else's machine and therefore says more than it should. Refusals of
  /// a chain with such a store leave at fixed steps of time.
  var answersTellByTime: Bool { get }

  /// Judges a password on a thread of the store's own.
  ///
  /// - Parameter then: called exactly once, on any thread, if the attempt was taken
  /// - Returns: `false` where too many attempts wait already; `then` is not called
  func judge(_ attempt: PasswordAttempt, then: @escaping @Sendable (StoreJudgement) -> Void) -> Bool

  /// Looks again at a user who was identified a while ago, without the password.
  ///
  /// - Returns: `false` where too many attempts wait already; `then` is not called
  func refresh(_ user: StoredUser, then: @escaping @Sendable (StoreRefreshment) -> Void) -> Bool

  /// Asks the servers once whether they would do, in words for an operator; nothing where there is nobody to ask. It blocks nobody's
  /// event loop.
  func probe() async -> [ProbeFinding]

  /// Does the work of a refusal for nobody, so that a name that this store does not know takes as long as one that it does.
  ///
  /// - Parameter then: called exactly once, on any thread, if the work was taken
  func spendRefusal(_ attempt: PasswordAttempt, then: @escaping @Sendable () -> Void) -> RefusalWork
}

extension PasswordStore {
  public func probe() async -> [ProbeFinding] { [] }
}

/// What becomes of the work of a refusal for nobody.
public enum RefusalWork: Sendable {
  case taken
  /// A refusal costs this store nothing that could be told from outside.
  case none
  /// Too many wait already. A name that the store knows would be told so, so that one that it does not must be, too.
  case noRoom
}

extension PasswordStore {
  public func spendRefusal(_ attempt: PasswordAttempt, then: @escaping @Sendable () -> Void) -> RefusalWork { .none }
}

/// What a store is asked.
public struct PasswordAttempt: Sendable {
  /// As typed; the name in an identity is the store's.
  public let username: String
  /// Never empty.
  public let password: Secret
  /// Where the client is, an IP address.
  public let address: String
  private let gate: AccountGate

  init(username: String, password: Secret, address: String, gate: AccountGate) {
    self.username = username
    self.password = password
    self.address = address
    self.gate = gate
  }

  /// Asks whether the store may try the password on an account, before anything leaves that the account's own directory
  /// would count as a failure.
  ///
  /// Typed names are many for one account (letter case, mail address or user name), so that the store says which it is.
  ///
  /// - Parameter account: the account in one spelling, such as its distinguished name in lower case
  /// - Returns: whether the attempt may be made; where not, ``StoreJudgement/locked`` is the answer
  public func mayTry(account: String) -> Bool { self.gate.enter(account) }
}

/// What a store says of a user and a password.
public enum StoreJudgement: Sendable {
  case identified(StoredUser)
  /// There is no such user here.
  case unknown
  /// The user is here, and this is no good. The text is for the operator: the client reads the same for every refusal.
  case refused(String)
  /// ``PasswordAttempt/mayTry(account:)`` said no.
  case locked
  /// The store could not find out. The text is for the operator.
  case unavailable(String)
}

/// What a store says of a user whom it identified before.
public enum StoreRefreshment: Sendable {
  case current(StoredUser)
  /// Deleted, disabled, or no longer what the store's configuration asks for.
  case gone(String)
  case unavailable(String)
}

/// A user as the store knows them, before the rules about names were applied.
public struct StoredUser: Sendable, CustomReflectable {
  public var username: String
  public var uid: String?
  public var groups: [String]
  public var extra: [Identity.Extra]
  /// Facts for the audit record, such as the distinguished name.
  public var origin: [Identity.Fact]
  /// How the store finds the user again; `nil` where it cannot without the password.
  public var reference: Reference?
  /// See ``Identity/verifier``; empty where the store keeps nothing that a password is verified against.
  public var verifier: [UInt8]

  public struct Reference: Sendable, Hashable {
    /// The account: a distinguished name, a user name.
    public let account: String
    /// What was typed when the user signed in.
    public let typedName: String

    public init(account: String, typedName: String) {
      self.account = account
      self.typedName = typedName
    }
  }

  public init(
    username: String, uid: String? = nil, groups: [String] = [], extra: [Identity.Extra] = [], origin: [Identity.Fact] = [],
    reference: Reference? = nil, verifier: [UInt8] = []
  ) {
    self.username = username
    self.uid = uid
    self.groups = groups
    self.extra = extra
    self.origin = origin
    self.reference = reference
    self.verifier = verifier
  }

  public var customMirror: Mirror { Mirror(self, children: ["username": self.username]) }
}
