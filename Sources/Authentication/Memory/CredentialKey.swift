import Crypto

/// What a credential is remembered by: a MAC under a key that only this process has, never the credential itself.
///
/// A copy of the memory of the cache therefore does not say a password, nor allow guesses at one without the key.
struct CredentialKey: Hashable, Sendable {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  fileprivate init(_ code: HMAC<SHA256>.MAC) {
    self.words = code.withUnsafeBytes { bytes in
      (
        bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
      )
    }
  }

  /// Which of so many shards the key belongs to.
  func shard(of count: Int) -> Int { Int(truncatingIfNeeded: self.words.3 % UInt64(count)) }

  static func == (left: Self, right: Self) -> Bool { left.words == right.words }

  // The words are uniformly distributed to whoever does not have the key, so that one is enough.
  func hash(into hasher: inout Hasher) { hasher.combine(self.words.0) }
}

/// Makes the keys of one generation.
///
/// `HMAC-SHA256(process key, length of generation || generation || token)`: the generation's length stands before it, so
/// that no two pairs of generation and token make one input; what a cache knows of one generation is unknown to the next.
/// The token is the base64 of `user:password`, which ``StrictBase64`` takes in one spelling only: a token stands for one
/// user and one password.
struct CredentialKeyMaker: Sendable {
  /// The MAC's state behind the generation: a key costs a copy of it and the token's own bytes.
  private let prefix: HMAC<SHA256>

  init(processKey: SymmetricKey, generation: [UInt8]) {
    var prefix = HMAC<SHA256>(key: processKey)
    withUnsafeBytes(of: UInt64(generation.count).bigEndian) { prefix.update(data: $0) }
    prefix.update(data: generation)
    self.prefix = prefix
  }

  func key(for token: UnsafeRawBufferPointer) -> CredentialKey {
    var code = self.prefix
    code.update(data: token)
    return CredentialKey(code.finalize())
  }
}
