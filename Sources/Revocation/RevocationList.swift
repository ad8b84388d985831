import struct Foundation.Date

/// A certificate revocation list, complete and direct, as far as it matters here (RFC 5280 section 5).
struct RevocationList: Sendable {
  /// By whose key the list is known to be signed.
  enum Signer: Sendable {
    /// The signature was verified with this public key (SubjectPublicKeyInfo, DER).
    case verified(publicKey: [UInt8])
    /// Nobody has shown the authority's certificate yet. The list's own DER waits for it.
    case unknown(encoded: [UInt8])
  }

  /// The authority's name, DER.
  let issuer: [UInt8]
  /// The same as RFC 4514 writes it, for messages.
  let issuerText: String
  let thisUpdate: Date
  let nextUpdate: Date
  let revoked: SerialTable
  var signer: Signer
  /// `FILE`, or `FILE: list 2 of 3`.
  let place: String

  /// Whether this authority signed the list.
  func isSigned(by authority: AuthorityKey) -> Bool {
    guard authority.isNamed(self.issuer) else { return false }
    switch self.signer {
    case .verified(let publicKey): return publicKey == authority.publicKey
    case .unknown(let encoded): return authority.signsRevocationLists && RevocationListDecoder.verify(encoded, by: authority)
    }
  }
}

/// A certificate authority, as the signer of lists.
struct AuthorityKey: Sendable {
  /// Its name, DER.
  let name: [UInt8]
  /// Its name as RFC 4514 writes it.
  let nameText: String
  /// SubjectPublicKeyInfo, DER.
  let publicKey: [UInt8]
  /// Whether its key usage, where it has one, allows it (`cRLSign`, RFC 5280 section 4.2.1.3).
  let signsRevocationLists: Bool

  func isNamed(_ name: [UInt8]) -> Bool { RevocationListDecoder.areSameName(self.name, name) }
}
