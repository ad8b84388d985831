import Crypto
@_spi(Authenticator) import SallyportCore

/// The stores of a configuration, asked in their order; ``PasswordStore`` has the rules.
struct StoreChain: Sendable {
  enum Verdict: Sendable {
    /// With the store and user to ask again about, where that is possible.
    case identified(Identity, StoredUser?, any PasswordStore)
    /// The text is for the operator.
    case refused(String)
    case locked
    case unavailable(String)
    case busy(String)
  }

  let stores: [any PasswordStore]
  /// Digests of the stores and of all that their judgements depend on, in the same order.
  let digests: [[UInt8]]
  let rules: NameRules

  init(_ sources: [AuthenticatorConfiguration.PasswordSource], rules: NameRules, pool: VerificationPool) {
    var stores: [any PasswordStore] = []
    var files: [PasswordFile] = []
    // Files beside one another are one store: the order among them is kept, and a name costs one hash.
    for source in sources {
      switch source {
      case .file(let file): files.append(file)
      case .store(let store):
        if !files.isEmpty { stores.append(PasswordFileStore(files: files, pool: pool)) }
        files = []
        stores.append(store)
      }
    }
    if !files.isEmpty { stores.append(PasswordFileStore(files: files, pool: pool)) }
    self.stores = stores
    self.digests = stores.map(Self.digest)
    self.rules = rules
  }

  /// - Parameter then: called exactly once, on any thread
  func judge(_ attempt: PasswordAttempt, then: @escaping @Sendable (Verdict) -> Void) {
    self.ask(self.stores.startIndex, attempt, then)
  }

  private func ask(_ index: Int, _ attempt: PasswordAttempt, _ then: @escaping @Sendable (Verdict) -> Void) {
    guard index < self.stores.endIndex else { return self.refuseUnknown(attempt, then) }
    let store = self.stores[index]
    let isTaken = store.judge(attempt) { judgement in
      switch judgement {
      case .identified(let user): then(self.verdict(on: user, of: store))
      case .unknown: self.ask(index + 1, attempt, then)
      case .refused(let detail): self.spend(self.stores[..<index], attempt, .refused(detail), then)
      case .locked: then(.locked)
      case .unavailable(let detail): then(.unavailable(detail))
      }
    }
    if !isTaken { then(self.busy(store)) }
  }

  /// The store with this digest; `nil` where it is not asked, or by other rules.
  func store(_ digest: [UInt8]) -> (any PasswordStore)? {
    self.digests.firstIndex(of: digest).map { self.stores[$0] }
  }

  /// The digest of the first store of a kind; empty where there is none.
  func digest(of method: AuthenticationMethod) -> [UInt8] {
    self.stores.firstIndex { $0.method == method }.map { self.digests[$0] } ?? []
  }

  private static func digest(of store: any PasswordStore) -> [UInt8] {
    var hash = SHA256()
    hash.update(data: Array(store.method.rawValue.utf8) + [0])
    hash.update(data: store.fingerprint)
    return Array(hash.finalize())
  }

  private func busy(_ store: any PasswordStore) -> Verdict { .busy("too many passwords wait to be verified by \(store.method.rawValue)") }

  private func refuseUnknown(_ attempt: PasswordAttempt, _ then: @escaping @Sendable (Verdict) -> Void) {
    guard !self.stores.isEmpty else { return then(.refused("there are no users")) }
    // Counted like an account, so that the lock of one that exists does not say that it does.
    guard attempt.mayTry(account: "unknown \(attempt.username.lowercased())") else { return then(.locked) }
    // The name that was typed is not repeated: people type passwords into the wrong field.
    self.spend(self.stores[...], attempt, .refused("no password store has the user"), then)
  }

  /// Gives a refusal when the first store that did not know the user has done the work of one that it did.
  private func spend(
    _ asked: ArraySlice<any PasswordStore>, _ attempt: PasswordAttempt, _ verdict: Verdict, _ then: @escaping @Sendable (Verdict) -> Void
  ) {
    for store in asked {
      switch store.spendRefusal(attempt, then: { then(verdict) }) {
      case .taken: return
      case .noRoom: return then(self.busy(store))
      case .none: continue
      }
    }
    then(verdict)
  }

  func verdict(on user: StoredUser, of store: any PasswordStore) -> Verdict {
    switch self.identity(of: user, in: store) {
    case .success(let identity): .identified(identity, user.reference == nil ? nil : user, store)
    case .failure(let fault): .refused(fault.detail)
    }
  }

  struct Unfit: Error {
    let detail: String
  }

  /// Applies the rules about names to what a store says. A name that breaks one is not repeated: it may hold anything.
  func identity(of user: StoredUser, in store: any PasswordStore) -> Result<Identity, Unfit> {
    if let fault = self.rules.fault(in: user.username) { return .failure(Unfit(detail: "the user's name in the store \(fault.rawValue)")) }
    let name = user.username
    var groups: [String] = []
    var known: Set<[UInt8]> = []
    for group in user.groups where known.insert(Array(group.utf8)).inserted {
      if let fault = self.rules.fault(in: group) { return .failure(Unfit(detail: "user \(name) has a group whose name \(fault.rawValue)")) }
      groups.append(group)
    }
    guard groups.count <= NameRules.mostGroups else {
      return .failure(Unfit(detail: "user \(name) has more than \(NameRules.mostGroups) groups"))
    }
    for text in [user.uid].compactMap({ $0 }) + user.extra.flatMap(\.values) {
      if let fault = NameRules.faultOfForm(text) { return .failure(Unfit(detail: "user \(name) has an attribute that \(fault.rawValue)")) }
    }
    return .success(
      Identity(
        username: name, uid: user.uid, groups: groups, extra: user.extra, method: store.method, origin: user.origin,
        verifier: user.verifier,
        account: user.reference.map { Identity.Account(store: Self.digest(of: store), name: $0.account, typedName: $0.typedName) }))
  }
}
