import SallyportCore

/// The password files of a configuration as a store: the first file that has a user decides.
///
/// A name that no file has is answered at once. Where nobody else knows it either, its refusal costs one hash like that of
/// a wrong password (``spendRefusal(_:then:)``); users whose hash is of another kind or cost than most still differ in time.
struct PasswordFileStore: PasswordStore {
  private let files: [PasswordFile]
  private let pool: VerificationPool
  private let decoy: PasswordHash?

  init(files: [PasswordFile], pool: VerificationPool) {
    self.files = files
    self.pool = pool
    self.decoy = files.lazy.compactMap(\.decoy).first
  }

  var method: AuthenticationMethod { .passwordFile }
  var answersTellByTime: Bool { false }
  var fingerprint: [UInt8] {
    self.files.flatMap { file in withUnsafeBytes(of: UInt64(file.name.utf8.count).bigEndian, Array.init) + file.name.utf8 + file.contentHash
    }
  }

  func judge(_ attempt: PasswordAttempt, then: @escaping @Sendable (StoreJudgement) -> Void) -> Bool {
    guard let user = self.files.lazy.compactMap({ $0.user(named: attempt.username) }).first else {
      then(.unknown)
      return true
    }
    return self.pool.run { then(Self.judge(attempt.password, of: user)) }
  }

  private static func judge(_ password: Secret, of user: PasswordFile.User) -> StoreJudgement {
    let name = user.identity.username
    switch PasswordVerifier.verify(password, against: user.hash) {
    case .failed: return .unavailable("libcrypt could not compute a \(user.hash.kind.rawValue) hash")
    case .differs: return .refused("wrong password for user \(name)")
    case .tooLongForBcrypt: return .refused("user \(name) has a password of more than 72 bytes, of which bcrypt reads only these")
    case .matches: break
    }
    guard !user.isDisabled else { return .refused("user \(name) is disabled") }
    return .identified(
      StoredUser(
        username: name, uid: user.identity.uid, groups: user.identity.groups, extra: user.identity.extra, origin: user.identity.origin,
        verifier: user.identity.verifier))
  }

  /// A file is what its generation read; another one is another generation.
  func refresh(_ user: StoredUser, then: @escaping @Sendable (StoreRefreshment) -> Void) -> Bool { false }

  func spendRefusal(_ attempt: PasswordAttempt, then: @escaping @Sendable () -> Void) -> RefusalWork {
    guard let decoy = self.decoy else { return .none }
    let isTaken = self.pool.run {
      _ = PasswordVerifier.verify(attempt.password, against: decoy)
      then()
    }
    return isTaken ? .taken : .noRoom
  }
}
