public import Crypto
import Foundation

/// What a session is kept under: a hash of its ID. Who reads a store learns of no session that can be used.
public struct SessionKey: Sendable, Hashable {
  public let bytes: [UInt8]
  public init(bytes: [UInt8]) { self.bytes = bytes }
}

/// Whose session it is, as a store groups them: a keyed hash of the user's name.
public struct SessionUser: Sendable, Hashable {
  public let bytes: [UInt8]
  public init(bytes: [UInt8]) { self.bytes = bytes }
}

/// A name that a session can be found by when something ends elsewhere, as a store groups them: a keyed hash. An identity provider
/// that signs somebody out says whom, or which session of its own, and knows nothing of the sessions here.
public struct SessionTag: Sendable, Hashable {
  public let bytes: [UInt8]
  public init(bytes: [UInt8]) { self.bytes = bytes }
}

/// The keys that sessions are sealed by. Each purpose has one of its own, derived from a root (RFC 5869).
///
/// There may be several roots, so that one can follow another while sessions go on: the first seals, all of them open.
public struct SessionKeys: Sendable {
  private struct Derived: Sendable {
    let users: SymmetricKey
    let tags: SymmetricKey
    let sealing: SymmetricKey

    init(_ root: SymmetricKey) {
      self.users = SessionKeys.derived("users", from: root)
      self.tags = SessionKeys.derived("tags", from: root)
      self.sealing = SessionKeys.derived("sealing", from: root)
    }
  }

  private let first: Derived
  private let others: [Derived]
  /// For the forms of the pages that sessions begin and end on.
  public let forms: SymmetricKey

  /// - Parameters:
  ///   - root: 256 bits that only the gateways have that share sessions
  ///   - earlier: what it was before, for the sessions that began then
  public init(root: SymmetricKey, earlier: [SymmetricKey] = []) {
    self.first = Derived(root)
    self.others = earlier.map(Derived.init)
    self.forms = Self.derived("forms", from: root)
  }

  private static func derived(_ purpose: String, from root: SymmetricKey) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Data("sallyport/session/\(purpose)/v1".utf8), outputByteCount: 32)
  }

  /// Keys of this process alone.
  public static func random() -> SessionKeys { SessionKeys(root: SymmetricKey(size: .bits256)) }

  /// Without a secret: what is hashed has 256 bits that nobody can guess.
  public func key(of id: SessionID) -> SessionKey {
    SessionKey(bytes: Array(SHA256.hash(data: Array("sallyport/session/look-up/v1".utf8) + id.bytes)))
  }

  public func user(named name: String) -> SessionUser { SessionUser(bytes: Self.hash(name, self.first.users)) }

  /// The user as any of the roots knows them.
  func users(named name: String) -> [SessionUser] {
    [self.user(named: name)] + self.others.map { SessionUser(bytes: Self.hash(name, $0.users)) }
  }

  public func tag(named name: String) -> SessionTag { SessionTag(bytes: Self.hash(name, self.first.tags)) }

  /// The tag as any of the roots knows it.
  func tags(named name: String) -> [SessionTag] {
    [self.tag(named: name)] + self.others.map { SessionTag(bytes: Self.hash(name, $0.tags)) }
  }

  private static func hash(_ name: String, _ key: SymmetricKey) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array(name.utf8), using: key))
  }

  /// Seals what is known of a session so that only these keys open it, and only as what it was sealed as: AES-256-GCM with all
  /// that a store keeps beside it as additional data.
  ///
  /// - Parameter session: what the value is for, with the version that it will have; what is sealed there already does not count
  func seal(_ value: [UInt8], for session: StoredSession, as key: SessionKey) -> [UInt8]? {
    // A random nonce of 96 bits: far fewer than 2^32 values are sealed under one key (NIST SP 800-38D section 8.3).
    guard let box = try? AES.GCM.seal(value, using: self.first.sealing, authenticating: session.binding(as: key)),
      let combined = box.combined
    else { return nil }
    return Array(combined)
  }

  /// - Returns: `nil` for what was sealed by other keys or for another session, and where anything of the session was changed
  func open(_ session: StoredSession, of key: SessionKey) -> [UInt8]? {
    guard let box = try? AES.GCM.SealedBox(combined: session.sealed) else { return nil }
    let binding = session.binding(as: key)
    for keys in [self.first] + self.others {
      if let value = try? AES.GCM.open(box, using: keys.sealing, authenticating: binding) { return Array(value) }
    }
    return nil
  }
}
