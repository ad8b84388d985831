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

/// The keys that sessions are sealed by. Each purpose has one of its own, derived from a root (RFC 5869).
///
/// There may be several roots, so that one can follow another while sessions go on: the first seals, all of them open.
public struct SessionKeys: Sendable {
  private struct Derived: Sendable {
    let users: SymmetricKey
    let sealing: SymmetricKey
  }

  private let first: Derived
  private let others: [Derived]
  /// For the forms of the pages that sessions begin and end on.
  public let forms: SymmetricKey

  /// - Parameters:
  ///   - root: 256 bits that only the gateways have that share sessions
  ///   - earlier: what it was before, for the sessions that began then
  public init(root: SymmetricKey, earlier: [SymmetricKey] = []) {
    func derived(_ purpose: String, _ root: SymmetricKey) -> SymmetricKey {
      HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Data("sallyport/session/\(purpose)/v1".utf8), outputByteCount: 32)
    }
    self.first = Derived(users: derived("users", root), sealing: derived("sealing", root))
    self.others = earlier.map { Derived(users: derived("users", $0), sealing: derived("sealing", $0)) }
    self.forms = derived("forms", root)
  }

  /// Keys of this process alone.
  public static func random() -> SessionKeys { SessionKeys(root: SymmetricKey(size: .bits256)) }

  /// Without a secret: what is hashed has 256 bits that nobody can guess.
  public func key(of id: SessionID) -> SessionKey {
    SessionKey(bytes: Array(SHA256.hash(data: Array("sallyport/session/look-up/v1".utf8) + id.bytes)))
  }

  public func user(named name: String) -> SessionUser { Self.user(name, self.first) }

  /// The user as any of the roots knows them.
  func users(named name: String) -> [SessionUser] { [self.user(named: name)] + self.others.map { Self.user(name, $0) } }

  private static func user(_ name: String, _ keys: Derived) -> SessionUser {
    SessionUser(bytes: Array(HMAC<SHA256>.authenticationCode(for: Array(name.utf8), using: keys.users)))
  }

  /// Seals what is known of a session so that only these keys open it, and only as this session's: AES-256-GCM with the
  /// session's key as additional data.
  func seal(_ value: [UInt8], as key: SessionKey) -> [UInt8]? {
    // A random nonce of 96 bits: far fewer than 2^32 values are sealed under one key (NIST SP 800-38D section 8.3).
    guard let box = try? AES.GCM.seal(value, using: self.first.sealing, authenticating: key.bytes), let combined = box.combined else {
      return nil
    }
    return Array(combined)
  }

  /// - Returns: `nil` for what was sealed by other keys, for another session, or was changed
  func open(_ sealed: [UInt8], of key: SessionKey) -> [UInt8]? {
    guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
    for keys in [self.first] + self.others {
      if let value = try? AES.GCM.open(box, using: keys.sealing, authenticating: key.bytes) { return Array(value) }
    }
    return nil
  }
}
