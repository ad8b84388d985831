import CCrypt
import Foundation

/// Makes the hashes that password files hold, by libcrypt's `crypt_gensalt_rn(3)` and `crypt_r(3)`.
public enum PasswordHashing {
  /// The methods that password files may use.
  public enum Algorithm: String, Sendable, CaseIterable {
    case yescrypt, bcrypt, sha512

    /// The prefix that names the method in a hash (crypt(5)).
    fileprivate var prefix: String {
      switch self {
      case .yescrypt: "$y$"
      case .bcrypt: "$2b$"
      case .sha512: "$6$"
      }
    }

    /// How much work a verification is: each takes some tens of milliseconds on a server of today.
    fileprivate var cost: UInt {
      switch self {
      case .yescrypt: 5
      case .bcrypt: 10
      case .sha512: 100_000
      }
    }
  }

  /// Why a password has no hash.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// Hashes a password with a new random salt.
  ///
  /// - Parameter password: UTF-8, 1 to 1024 bytes without NUL; bcrypt reads 72 bytes at the most
  /// - Throws: ``Failure`` for a password that cannot be used, or would be cut
  public static func hash(_ password: [UInt8], _ algorithm: Algorithm = .yescrypt) throws(Failure) -> String {
    guard !password.isEmpty else { throw Failure(description: "the password is empty") }
    guard password.count <= 1024 else { throw Failure(description: "the password is longer than 1024 bytes") }
    guard !password.contains(0) else { throw Failure(description: "the password holds a NUL byte") }
    guard algorithm != .bcrypt || password.count <= 72 else {
      throw Failure(description: "bcrypt reads only the first 72 bytes of a password; use yescrypt or sha512")
    }
    var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
    // No random bytes are given: libcrypt takes them from the kernel.
    guard crypt_gensalt_rn(algorithm.prefix, algorithm.cost, nil, 0, &setting, CInt(setting.count)) != nil else {
      throw Failure(description: "libcrypt makes no \(algorithm.rawValue) hashes")
    }
    let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    data.initialize(to: crypt_data())
    defer {
      // What is left in the buffer is the password and what was made of it.
      explicit_bzero(data, MemoryLayout<crypt_data>.size)
      data.deallocate()
    }
    let phrase = password.map { CChar(bitPattern: $0) } + [0]
    guard let result = crypt_r(phrase, setting, data), result.pointee != CChar(bitPattern: UInt8(ascii: "*")) else {
      throw Failure(description: "libcrypt cannot make a \(algorithm.rawValue) hash")
    }
    return String(cString: result)
  }
}
