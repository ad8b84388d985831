import Crypto
@_spi(Authenticator) import SallyportCore
public import SallyportStrictYAML

import class Foundation.FileHandle
import struct Foundation.URL

/// The users of one password file, as they were when it was loaded.
///
/// Two forms are read, strictly, with all faults of a file reported at once and no hash in any report:
///
/// - `users.yaml` (names that end in `.yaml` or `.yml`):
///   ```yaml
///   users:
///   - name: alice
///     passwordHash: $2y$10$…
///     groups: [developers]
///     uid: "1001"
///     extra: {example.org/department: [research]}
///     disabled: true
///   ```
/// - htpasswd (every other name): `name:hash` on a line, empty lines and lines beginning with `#` ignored, no groups.
///
/// ``PasswordHash`` says which hashes are taken. Changing a file makes a new value; nothing of this one changes.
public struct PasswordFile: Sendable, CustomReflectable {
  struct User: Sendable {
    let identity: Identity
    let hash: PasswordHash
    let isDisabled: Bool
  }

  /// The most bytes of a file; some 50,000 users.
  static let largestFile = 16 * 1024 * 1024

  /// The file as the configuration names it.
  public let name: String
  /// What an operator should look at: hashes that are taken and weak.
  public let warnings: [FileFault]
  /// SHA-256 over the file's content; with it a cached judgement is bound to the file that it was made by.
  let contentHash: [UInt8]
  private let users: [String: User]
  /// The hash that an unknown user's password is compared with.
  let decoy: PasswordHash?

  public var count: Int { self.users.count }
  public var customMirror: Mirror { Mirror(self, children: ["name": self.name, "count": self.count]) }

  /// Reads a file. It blocks; call it on the control plane.
  ///
  /// - Throws: ``FileFaults``
  public init(file: String, allowSystemNames: Set<String> = []) throws(FileFaults) {
    let content: [UInt8]
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
      defer { try? handle.close() }
      content = Array(try handle.read(upToCount: Self.largestFile + 1) ?? .init())
    } catch {
      throw Self.fault(file, "cannot be read", "check that it is there and that this process may read it")
    }
    try self.init(content: content, name: file, allowSystemNames: allowSystemNames)
  }

  /// Reads a file's content.
  ///
  /// - Parameters:
  ///   - name: what the file is called in the faults; its ending says which form it has
  ///   - allowSystemNames: see ``AuthenticatorConfiguration/allowSystemNames``
  /// - Throws: ``FileFaults``
  public init(content: [UInt8], name: String, allowSystemNames: Set<String> = []) throws(FileFaults) {
    guard content.count <= Self.largestFile else { throw Self.fault(name, "is larger than 16 MiB", "split it") }
    let reader = UserReader(rules: NameRules(allowSystemNames: allowSystemNames), origin: name)
    let isYAML = [".yaml", ".yml"].contains(where: name.lowercased().hasSuffix)
    let entries = isYAML ? try UsersYAML.read(content, name: name, reader) : try Htpasswd.read(content, name: name, reader)
    self.name = name
    self.contentHash = Array(SHA256.hash(data: content))
    self.users = Dictionary(entries.map { ($0.user.identity.username, $0.user) }) { first, _ in first }
    self.warnings = entries.compactMap(\.warning)
    self.decoy = Self.mostCommon(of: entries.map(\.user.hash))
  }

  func user(named name: String) -> User? { self.users[name] }

  /// A hash of the kind and cost that most users have. It belongs to some user, and that does not matter: what is
  /// compared with it is thrown away.
  private static func mostCommon(of hashes: [PasswordHash]) -> PasswordHash? {
    struct Work: Hashable {
      let kind: PasswordHash.Kind
      let cost: Int
    }
    let groups = Dictionary(grouping: hashes) { Work(kind: $0.kind, cost: $0.cost) }
    // Among equals the costlier, so that the choice does not change from one start to the next.
    return groups.max { ($0.value.count, $0.key.cost) < ($1.value.count, $1.key.cost) }?.value.first
  }

  private static func fault(_ name: String, _ problem: String, _ remedy: String) -> FileFaults {
    FileFaults([FileFault(at: FilePlace(file: name, line: 1, column: 1, keyPath: ""), problem, remedy)])
  }
}
