import SallyportCore

/// A user name and a password as a client sends them (RFC 7617).
///
/// ```
/// user-pass = user-id ":" password
/// user-id   = *<TEXT excluding ":">
/// ```
///
/// The text is UTF-8, which the challenge asks for (section 2.1). Control characters are refused as section 2 demands; a
/// NUL would also end the password early for libcrypt.
struct BasicCredential: Sendable {
  /// The most bytes of a password. libcrypt takes no passphrase of 512 bytes or more (`CRYPT_MAX_PASSPHRASE_SIZE`).
  static let longestPassword = 511
  /// The most characters of a token: the base64 of the longest name, a colon and the longest password.
  static let longestToken = (NameRules.longestName + 1 + longestPassword + 2) / 3 * 4

  /// What the client typed; the name in an identity comes from the store.
  let username: String
  let password: Secret

  /// Reads the token behind `Basic`.
  ///
  /// - Throws: what is wrong, for the operator: a constant text without anything of the credential in it
  init(token: UnsafeRawBufferPointer) throws(Malformed) {
    guard !token.isEmpty else { throw .init(reason: "the Authorization header has no credentials behind its scheme") }
    guard token.count <= Self.longestToken else { throw .init(reason: "the Basic credentials are too long") }
    guard let bytes = StrictBase64.decode(token) else { throw .init(reason: "the Basic credentials are not strict base64") }
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { throw .init(reason: "the Basic credentials have no colon") }
    guard let username = String(validating: bytes[..<colon], as: UTF8.self),
      let password = String(validating: bytes[(colon + 1)...], as: UTF8.self)
    else { throw .init(reason: "the Basic credentials are not UTF-8") }
    if let fault = NameRules.faultOfForm(username) { throw .init(reason: "the user name \(fault.rawValue)") }
    guard !password.isEmpty else { throw .init(reason: "the password is empty") }
    guard password.utf8.count <= Self.longestPassword else { throw .init(reason: "the password is longer than 511 bytes") }
    guard !password.unicodeScalars.contains(where: Self.isControl) else {
      throw .init(reason: "the password holds a control character")
    }
    self.username = username
    self.password = Secret(password.utf8)
  }

  struct Malformed: Error, Equatable {
    let reason: String
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }
}
