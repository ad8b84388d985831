import CCrypt
import Glibc
import SallyportCore

/// Compares passwords with hashes through libcrypt. Every call takes milliseconds to seconds of a core.
///
/// crypt(3) declares `crypt_r` MT-Safe: all its state is in a `crypt_data` of 32 KB that the caller owns. One is allocated
/// for each verification, which costs a microsecond beside the milliseconds, needs no rule about which thread owns it, and
/// leaves nothing of one user's verification for the next.
enum PasswordVerifier {
  /// bcrypt reads no more of a password than this and silently ignores the rest.
  private static let bcryptReach = 72

  enum Verdict: Sendable, Equatable {
    case matches, differs
    /// The hash cannot say: what it read of the password is right, and there was more.
    case tooLongForBcrypt
    /// libcrypt failed: no memory, or a hash that it does not take although it was judged to be good.
    case failed
  }

  /// Whether the password has this hash. The comparison's time does not depend on where they differ.
  static func verify(_ password: Secret, against hash: PasswordHash) -> Verdict {
    guard let computed = self.crypt(password, setting: hash.text) else { return .failed }
    guard computed == Secret(hash.text.utf8) else { return .differs }
    // Judged behind the work, so that the time does not tell which kind of hash a user has.
    return hash.kind == .bcrypt && password.count > self.bcryptReach ? .tooLongForBcrypt : .matches
  }

  private static func crypt(_ password: Secret, setting: String) -> Secret? {
    let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    let size = MemoryLayout<crypt_data>.size
    // crypt(3) asks for zeros before the first use.
    memset(data, 0, size)
    defer {
      explicit_bzero(data, size)
      data.deallocate()
    }
    return password.withBytes { bytes in
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { phrase in
        // A NUL would cut the password short; ``BasicCredential`` refuses it, and so does this.
        guard !bytes.contains(0) else { return nil }
        guard let start = phrase.baseAddress else { return nil }
        for index in bytes.indices { phrase[index] = CChar(bitPattern: bytes[index]) }
        phrase[bytes.count] = 0
        defer { explicit_bzero(start, phrase.count) }
        guard let output = crypt_r(start, setting, data), output.pointee != CChar(bitPattern: UInt8(ascii: "*")) else { return nil }
        return Secret(UnsafeRawBufferPointer(start: output, count: strlen(output)))
      }
    }
  }
}
