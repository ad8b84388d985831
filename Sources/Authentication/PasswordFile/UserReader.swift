import Crypto
@_spi(Authenticator) import SallyportCore
import SallyportStrictYAML

/// What both forms of a password file have in common: the judgement on a user and on the users together.
struct UserReader {
  struct Entry {
    let user: PasswordFile.User
    let place: FilePlace
    let warning: FileFault?
  }

  let rules: NameRules
  /// The file, as the audit record names it.
  let origin: String

  /// - Throws: why a user may not have this name
  func userName(_ text: String) throws(ValueFault) -> String {
    guard !text.utf8.contains(UInt8(ascii: ":")) else {
      throw ValueFault("holds a colon, where Basic credentials end the name (RFC 7617)", "choose a name without one")
    }
    return try self.groupName(text)
  }

  /// - Throws: why a group may not have this name
  func groupName(_ text: String) throws(ValueFault) -> String {
    if let fault = self.rules.fault(in: text) { throw ValueFault(fault.rawValue, fault.remedy) }
    return text
  }

  /// - Throws: why this text may not stand in an identity
  static func text(_ text: String) throws(ValueFault) -> String {
    if let fault = NameRules.faultOfForm(text) { throw ValueFault(fault.rawValue, fault.remedy) }
    return text
  }

  /// A key of `extra`: lower case, because the API server folds it, and not of Kubernetes' own domains, as its
  /// AuthenticationConfiguration demands of claim mappings.
  static func extraKey(_ key: String) throws(ValueFault) -> String {
    _ = try self.text(key)
    guard key == key.lowercased() else { throw ValueFault("has an upper-case letter in its key", "write the key in lower case") }
    let domain = key.prefix { $0 != "/" }
    guard !["kubernetes.io", "k8s.io"].contains(where: { domain == $0 || domain.hasSuffix(".\($0)") }) else {
      throw ValueFault("has a key of a domain that is Kubernetes' own", "use a domain of yours")
    }
    return key
  }

  func entry(
    name: String, hash: PasswordHash, groups: [String] = [], uid: String? = nil, extra: [Identity.Extra] = [], isDisabled: Bool = false,
    at place: FilePlace
  ) -> Entry {
    let identity = Identity(
      username: name, uid: uid, groups: groups, extra: extra, method: .passwordFile, origin: [.init("passwordFile", self.origin)],
      verifier: Array(SHA256.hash(data: Array(hash.text.utf8))))
    let isWeak = hash.kind == .bcrypt && hash.cost < 10
    return Entry(
      user: .init(identity: identity, hash: hash, isDisabled: isDisabled), place: place,
      warning: isWeak ? FileFault(.warning, at: place, "has a bcrypt cost below 10", "hash it anew with htpasswd -nB -C 10 NAME") : nil)
  }

  /// The faults of users that cannot be told apart: the same name twice, also in another Unicode normalisation, which
  /// Swift's strings see through, or in another letter case, which people do not see.
  static func duplicates(among entries: [Entry]) -> [FileFault] {
    var places: [String: FilePlace] = [:]
    return entries.compactMap { entry in
      let folded = entry.user.identity.username.lowercased()
      guard let first = places[folded] else {
        places[folded] = entry.place
        return nil
      }
      return FileFault(
        at: entry.place, "has the name of the user in line \(first.line), letter case aside", "keep one of the two")
    }
  }
}
