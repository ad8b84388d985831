import CLDAP
import SallyportAuthentication
import SallyportCore
import SallyportLDAPSyntax

/// The questions that a judgement asks of a directory, whoever asks them.
struct Directory {
  let configuration: LDAPConfiguration
  let search: (DirectorySearch) throws(DirectoryFault) -> [DirectoryEntry]

  /// Why a user of the directory is no user here.
  struct Unfit: Error {
    let detail: String
  }

  enum Finding {
    case none, several
    case one(DirectoryEntry)
  }

  // MARK: Users

  /// The entry of the name that was typed.
  func user(typed: String) throws(DirectoryFault) -> Finding {
    guard case .search(let base, let scope, let filter) = self.configuration.users.place else { return .none }
    do throws(DirectoryFault) {
      let entries = try self.search(
        DirectorySearch(
          base: base.text, scope: scope == .one ? .one : .subtree, filter: filter.filter(username: typed, dn: ""),
          attributes: self.userAttributes, atMost: 2))
      return entries.count > 1 ? .several : entries.first.map { .one($0) } ?? .none
    } catch {
      if error.kind == .answered(Int32(LDAP_SIZELIMIT_EXCEEDED)) { return .several }
      throw error
    }
  }

  /// The entry with this name, if it is one that the typed name leads to.
  func user(at name: String, typed: String) throws(DirectoryFault) -> DirectoryEntry? {
    let filter =
      switch self.configuration.users.place {
      case .search(_, _, let filter): filter.filter(username: typed, dn: "")
      case .template(_, let filter): filter?.filter(username: typed, dn: name) ?? .everything
      }
    return try self.entry(at: name, filter, self.userAttributes)
  }

  private var userAttributes: [AttributeName] {
    let users = self.configuration.users
    var attributes = [users.username] + [users.uid].compactMap { $0 } + users.extra.map(\.attribute)
    if case .memberOf(let attribute)? = self.configuration.groups?.source { attributes.append(attribute) }
    return attributes
  }

  /// One entry, or none where there is no such entry, it does not match, or it may not be seen.
  func entry(at name: String, _ filter: LDAPFilter, _ attributes: [AttributeName]) throws(DirectoryFault) -> DirectoryEntry? {
    do throws(DirectoryFault) {
      return try self.search(DirectorySearch(base: name, scope: .base, filter: filter, attributes: attributes, atMost: 1)).first
    } catch {
      switch error.kind {
      case .answered(Int32(LDAP_NO_SUCH_OBJECT)), .answered(Int32(LDAP_INVALID_DN_SYNTAX)): return nil
      default: throw error
      }
    }
  }

  /// Who the entry is, with groups; asks whether the account is in use.
  func stored(_ entry: DirectoryEntry, typed: String) throws(DirectoryFault) -> Result<StoredUser, Unfit> {
    let users = self.configuration.users
    if let enabled = users.enabled, try self.entry(at: entry.name, enabled.filter(username: typed, dn: entry.name), []) == nil {
      return .failure(Unfit(detail: "the account is disabled"))
    }
    var user: StoredUser
    do throws(Unfit) {
      user = try self.attributes(of: entry)
    } catch {
      return .failure(error)
    }
    if self.configuration.readsWithoutPassword { user.reference = .init(account: entry.name, typedName: typed) }
    return try self.groups(of: entry, username: user.username).map { groups in
      var user = user
      user.groups = groups
      return user
    }
  }

  private func attributes(of entry: DirectoryEntry) throws(Unfit) -> StoredUser {
    let users = self.configuration.users
    guard let username = try AttributeText.single(users.username, of: entry) else {
      throw Unfit(detail: "the entry has no \(users.username)")
    }
    var uid: String?
    if let attribute = users.uid { uid = try AttributeText.single(attribute, of: entry) }
    var extra: [Identity.Extra] = []
    for pair in users.extra {
      let values = try AttributeText.all(pair.attribute, of: entry)
      if !values.isEmpty { extra.append(Identity.Extra(key: pair.key, values: values)) }
    }
    return StoredUser(username: username, uid: uid, extra: extra, origin: [.init("dn", entry.name)])
  }
}

/// Attribute values as text.
enum AttributeText {
  /// The only value of an attribute; two would leave the choice to the server.
  static func single(_ attribute: AttributeName, of entry: DirectoryEntry) throws(Directory.Unfit) -> String? {
    let values = try self.all(attribute, of: entry)
    guard values.count <= 1 else { throw Directory.Unfit(detail: "the entry has several values of \(attribute)") }
    return values.first
  }

  static func all(_ attribute: AttributeName, of entry: DirectoryEntry) throws(Directory.Unfit) -> [String] {
    var texts: [String] = []
    for value in entry.values(of: attribute) {
      if attribute.key == "objectguid", value.count == 16 {
        texts.append(self.objectGUID(value))
      } else if let text = String(validating: value, as: UTF8.self) {
        texts.append(text)
      } else {
        throw Directory.Unfit(detail: "the entry has a value of \(attribute) that is not UTF-8")
      }
    }
    return texts
  }

  /// Active Directory's `objectGUID`, as its tools write it: the first three parts are little-endian.
  static func objectGUID(_ bytes: [UInt8]) -> String {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
    let digits = Array("0123456789abcdef")
    return order.enumerated().map { position, index in
      let dash = [4, 6, 8, 10].contains(position) ? "-" : ""
      return "\(dash)\(digits[Int(bytes[index] >> 4)])\(digits[Int(bytes[index] & 15)])"
    }.joined()
  }
}
