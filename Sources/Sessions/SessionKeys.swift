public import Crypto
import Foundation

/// What a session is kept under: a keyed hash of its ID. Who reads a store learns of no session that can be used.
public struct SessionKey: Sendable, Hashable {
  public let bytes: [UInt8]
  public init(bytes: [UInt8]) { self.bytes = bytes }
}

/// Whose session it is, as a store groups them: a keyed hash of the user's name.
public struct SessionUser: Sendable, Hashable {
  public let bytes: [UInt8]
  public init(bytes: [UInt8]) { self.bytes = bytes }
}

/// The keys that sessions are found and sealed by. Each purpose has one of its own, derived from one root (RFC 5869).
public struct SessionKeys: Sendable {
  private let lookUp: SymmetricKey
  private let users: SymmetricKey
  private let sealing: SymmetricKey

  /// - Parameter root: 256 bits that only the gateways have that share sessions
  public init(root: SymmetricKey) {
    func derived(_ purpose: String) -> SymmetricKey {
      HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Data("sallyport/session/\(purpose)/v1".utf8), outputByteCount: 32)
    }
    self.lookUp = derived("look-up")
    self.users = derived("users")
    self.sealing = derived("sealing")
  }

  /// Keys of this process alone.
  public static func random() -> SessionKeys { SessionKeys(root: SymmetricKey(size: .bits256)) }

  public func key(of id: SessionID) -> SessionKey {
    SessionKey(bytes: Array(HMAC<SHA256>.authenticationCode(for: id.bytes, using: self.lookUp)))
  }

  public func user(named name: String) -> SessionUser {
    SessionUser(bytes: Array(HMAC<SHA256>.authenticationCode(for: Array(name.utf8), using: self.users)))
  }

  /// Seals what is known of a session so that only these keys open it, and only as this session's: AES-256-GCM with the
  /// session's key as additional data.
  func seal(_ value: [UInt8], as key: SessionKey) -> [UInt8]? {
    // A random nonce of 96 bits: far fewer than 2^32 values are sealed under one key (NIST SP 800-38D section 8.3).
    guard let box = try? AES.GCM.seal(value, using: self.sealing, authenticating: key.bytes), let combined = box.combined else {
      return nil
    }
    return Array(combined)
  }

  /// - Returns: `nil` for what was sealed by other keys, for another session, or was changed
  func open(_ sealed: [UInt8], of key: SessionKey) -> [UInt8]? {
    guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
    return (try? AES.GCM.open(box, using: self.sealing, authenticating: key.bytes)).map(Array.init)
  }
}
