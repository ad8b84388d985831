import Foundation

/// Who is in the password file of a test's house. The hashes are the cheapest that the gateway takes: 5000 rounds of
/// SHA-512, by `openssl passwd -6`.
struct Person: Sendable {
  let name: String
  let password: String
  let groups: [String]
  let hash: String

  /// May read and change.
  static let bob = Person(
    name: "bob", password: "correct horse 17", groups: ["edit"],
    hash: "$6$practice$MigJsks8HMnM6vRMCuMnI48JKLMmTUuHCBEgOuisn/ncFIVCwWfUtUBEy5H736fDRQYNwQRP5X649lOojfC7X1")
  /// May read, but no secrets.
  static let vera = Person(
    name: "vera", password: "battery staple 42", groups: ["view", "watchers"],
    hash: "$6$practic2$lK4buTDn0yjEyY6.iqdpOzIESOK6XF0VJLdOWBPhLN1cpDF.1/MBSKGHpUOkM/Dol5d52EQMJMkStEIsZflRv/")

  static let all = [bob, vera]

  /// The field line by which the person signs in, without its line end.
  var basic: String { Self.basic(self.name, self.password) }

  static func basic(_ name: String, _ password: String) -> String {
    "Authorization: Basic \(Data("\(name):\(password)".utf8).base64EncodedString())"
  }

  static var usersFile: String {
    "users:\n"
      + self.all.map { "- name: \($0.name)\n  passwordHash: \"\($0.hash)\"\n  groups: [\($0.groups.joined(separator: ", "))]\n" }.joined()
  }

  /// What must be found nowhere: the password, and its name and password as they travel.
  static var secrets: [String] {
    self.all.flatMap { [$0.password, String($0.basic.dropFirst("Authorization: Basic ".count)), $0.hash] } + [Self.wrongPassword]
  }

  /// A password that nobody has.
  static let wrongPassword = "swordfish-is-wrong"
}
