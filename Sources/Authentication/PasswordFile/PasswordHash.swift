import SallyportStrictYAML

/// A password's hash, as `crypt(5)` writes it, of a kind and a cost that this gateway works with.
///
/// libcrypt takes nearly anything: `*` and `{SHA}` fail only at the first sign-in, junk is silently read as traditional
/// DES, and a hash that somebody else wrote can ask for minutes of a core. Everything is therefore judged when the file
/// is loaded, against a list of what is allowed:
///
/// | kind | form | cost |
/// |---|---|---|
/// | bcrypt | `$2y$`, `$2b$` or `$2a$`, cost, `$`, 22 characters of salt, 31 of hash | 5 to 16 |
/// | SHA-512 | `$6$`, perhaps `rounds=N$`, up to 16 characters of salt, `$`, 86 of hash | 5,000 (the default) to 5,000,000 rounds |
/// | yescrypt | `$y$j`, N, r, `$`, salt, `$`, 43 of hash | 1 MiB to 256 MiB of memory |
///
/// The lower bounds are the defaults of `htpasswd -B` and of libcrypt and its smallest yescrypt setting; the upper ones
/// are some seconds of a core. Forms that libcrypt itself would never write are refused too: they match no password.
struct PasswordHash: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
  enum Kind: String, Sendable, CaseIterable {
    case bcrypt, sha512, yescrypt
  }

  let kind: Kind
  /// How much work a verification is, comparable among hashes of one kind.
  let cost: Int
  /// The whole text, which is also the setting that `crypt_r` takes.
  let text: String

  /// Judges a hash.
  ///
  /// - Throws: what is wrong and what would be right, without the hash
  init(_ text: String) throws(ValueFault) {
    let kindAndCost: (Kind, Int)
    if ["$2y$", "$2b$", "$2a$"].contains(where: text.hasPrefix) {
      kindAndCost = (.bcrypt, try Self.bcryptCost(text))
    } else if text.hasPrefix("$6$") {
      kindAndCost = (.sha512, try Self.sha512Rounds(text))
    } else if text.hasPrefix("$y$") {
      kindAndCost = (.yescrypt, try Self.yescryptMemory(text))
    } else {
      throw ValueFault("is \(Self.nameOfRefusedKind(text))", Self.remedy)
    }
    (self.kind, self.cost) = kindAndCost
    self.text = text
  }

  var description: String { "<\(self.kind.rawValue) hash>" }
  var customMirror: Mirror { Mirror(self, children: []) }

  static let remedy = "hash the password with bcrypt (htpasswd -nB -C 10 NAME), SHA-512 crypt (openssl passwd -6) or yescrypt (mkpasswd)"

  private static func nameOfRefusedKind(_ text: String) -> String {
    switch true {
    case text.hasPrefix("$apr1$"): "an Apache MD5 hash, which is too weak"
    case text.hasPrefix("$1$"): "an MD5 hash, which is too weak"
    case text.hasPrefix("$5$"): "a SHA-256 crypt hash, which is not supported"
    case text.hasPrefix("{SHA}"), text.hasPrefix("{SSHA}"): "an unsalted or single-round SHA-1 hash, which is too weak"
    case text.hasPrefix("*"), text.hasPrefix("!"): "the mark of a locked account, not a hash"
    default: "not a password hash of a supported kind"
    }
  }

  // MARK: The kinds

  private static func bcryptCost(_ text: String) throws(ValueFault) -> Int {
    let bytes = Array(text.utf8)
    guard bytes.count == 60, bytes[6] == UInt8(ascii: "$"), let cost = self.decimal(bytes[4..<6]),
      bytes[7...].allSatisfy({ CryptAlphabet.value(of: $0) != nil }),
      // 22 characters hold 4 bits more than the salt's 128, and 31 hold 2 more than the hash's 184; they are zero.
      let saltEnd = CryptAlphabet.bcryptValue(of: bytes[28]), saltEnd & 0x0F == 0,
      let hashEnd = CryptAlphabet.bcryptValue(of: bytes[59]), hashEnd & 0x03 == 0
    else { throw self.malformed(.bcrypt) }
    return try self.cost(cost, in: 5...16, "a bcrypt cost")
  }

  private static func sha512Rounds(_ text: String) throws(ValueFault) -> Int {
    var parts = text.dropFirst(3).split(separator: "$", omittingEmptySubsequences: false)
    var rounds = 5000
    if let first = parts.first, first.hasPrefix("rounds=") {
      // libcrypt takes no leading zeros and no number below 1,000.
      guard let stated = self.decimal(Array(first.utf8.dropFirst(7))[...]), first.utf8.dropFirst(7).first != UInt8(ascii: "0") else {
        throw self.malformed(.sha512)
      }
      rounds = stated
      parts.removeFirst()
    }
    // 86 characters hold 4 bits more than the hash's 512; they are zero.
    guard parts.count == 2, (1...16).contains(parts[0].utf8.count), parts[1].utf8.count == 86,
      parts.allSatisfy({ $0.utf8.allSatisfy { CryptAlphabet.value(of: $0) != nil } }),
      let end = parts[1].utf8.last.flatMap(CryptAlphabet.value), end < 4
    else { throw self.malformed(.sha512) }
    return try self.cost(rounds, in: 5000...5_000_000, "a number of SHA-512 rounds")
  }

  /// The memory in KiB. Only what `crypt_gensalt` writes is read: the flavour `j` (YESCRYPT_DEFAULTS), N and r, each one
  /// character; parallelism, time, hash upgrades and a ROM are refused with every other flavour.
  private static func yescryptMemory(_ text: String) throws(ValueFault) -> Int {
    let parts = text.dropFirst(3).split(separator: "$", omittingEmptySubsequences: false).map { Array($0.utf8) }
    guard parts.count == 3, parts[0].count == 3, parts[0][0] == UInt8(ascii: "j"),
      let logN = CryptAlphabet.value(of: parts[0][1]), let r = CryptAlphabet.value(of: parts[0][2]), r < 48, logN < 48,
      (1...86).contains(parts[1].count), CryptAlphabet.isCanonical(parts[1]), parts[2].count == 43, CryptAlphabet.isCanonical(parts[2])
    else { throw self.malformed(.yescrypt) }
    // Both numbers are written less one. One block is 128 r bytes, and there are N of them.
    let memory = logN > 40 ? Int.max : 128 * (Int(r) + 1) << (Int(logN) + 1) / 1024
    return try self.cost(memory, in: 1024...262_144, "a yescrypt memory size in KiB")
  }

  private static func cost(_ value: Int, in range: ClosedRange<Int>, _ what: String) throws(ValueFault) -> Int {
    guard value >= range.lowerBound else { throw ValueFault("has \(what) below \(range.lowerBound)", self.remedy) }
    guard value <= range.upperBound else {
      throw ValueFault("has \(what) above \(range.upperBound), with which one sign-in would hold a core for too long", self.remedy)
    }
    return value
  }

  private static func malformed(_ kind: Kind) -> ValueFault {
    ValueFault("begins like a \(kind.rawValue) hash and is not one, so that no password would match it", "copy the whole hash")
  }

  private static func decimal(_ digits: ArraySlice<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
