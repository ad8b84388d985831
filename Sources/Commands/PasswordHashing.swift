import CCrypt

/// The hashes that `sallyport password` makes, by libxcrypt's `crypt_gensalt_rn(3)` and `crypt_r(3)`.
public enum PasswordHashing: String, Sendable, CaseIterable {
  case yescrypt, sha512, bcrypt

  /// How the hash begins.
  var prefix: String {
    switch self {
    case .yescrypt: "$y$"
    case .sha512: "$6$"
    case .bcrypt: "$2b$"
    }
  }

  /// What a guess costs, in the algorithm's own measure; each is some 100 ms on a server of 2025, which the gateway pays
  /// once in `authentication.cache.lifetime` for a user.
  var cost: UInt {
    switch self {
    case .yescrypt: 5  // 4 MiB of memory and more; libxcrypt's default
    case .sha512: 200_000  // rounds
    case .bcrypt: 11  // 2^11 rounds
    }
  }

  /// The most bytes that the algorithm reads: bcrypt silently ignores what comes behind 72.
  var longest: Int { self == .bcrypt ? 72 : Int(CRYPT_MAX_PASSPHRASE_SIZE) - 1 }

  /// Hashes a password with a new random salt.
  ///
  /// - Throws: ``CommandFailure`` for a password that is empty, too long for the algorithm, or holds NUL
  public func hash(_ password: String) throws(CommandFailure) -> String {
    guard !password.isEmpty, !password.utf8.contains(0) else { throw CommandFailure("the password is empty or holds NUL") }
    guard password.utf8.count <= self.longest else {
      throw CommandFailure("\(self.rawValue) reads \(self.longest) bytes of a password and this one has more; choose another algorithm")
    }
    // Without bytes of ours, libxcrypt takes the salt from the system.
    var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
    guard crypt_gensalt_rn(self.prefix, self.cost, nil, 0, &setting, Int32(setting.count)) != nil else {
      throw CommandFailure("libcrypt makes no salt for \(self.rawValue)")
    }
    var state = crypt_data()
    guard let result = crypt_r(password, setting, &state) else { throw CommandFailure("libcrypt does not hash with \(self.rawValue)") }
    let hash = String(cString: result)
    // libcrypt says that it failed by a hash that no password has.
    guard hash.hasPrefix(self.prefix) else { throw CommandFailure("libcrypt does not hash with \(self.rawValue)") }
    return hash
  }
}

/// What is printed for a password file.
public enum PasswordEntry {
  /// An entry of the list `users` in `users.yaml`.
  public static func yaml(user: String, groups: [String], hash: String) -> String {
    var text = "- name: \(YAMLText.quoted(user))\n  passwordHash: \(YAMLText.quoted(hash))\n"
    if !groups.isEmpty { text += "  groups: [\(groups.map(YAMLText.quoted).joined(separator: ", "))]\n" }
    return text
  }
}
