import CLDAP
import SallyportLDAPSyntax

extension Directory {
  /// How many names one search asks about.
  private static let batch = 50

  private struct Group {
    let name: String
    let entry: DirectoryEntry
  }

  /// The names of the groups of a user.
  ///
  /// Nested groups are found level by level: whose member is the user, whose members are those, and so on until a level
  /// brings nothing new, which also ends a ring of groups. Too deep or too many is a refusal and not an end: the rules of the
  /// policy may deny something to a group that would then be missing.
  func groups(of user: DirectoryEntry, username: String) throws(DirectoryFault) -> Result<[String], Unfit> {
    guard let groups = self.configuration.groups else { return .success([]) }
    do {
      var known: Set<String> = [DistinguishedName.key(of: user.name)]
      var names: [String] = []
      var level = try self.direct(groups, user, username)
      var depth = 0
      while true {
        let new = level.filter { known.insert(DistinguishedName.key(of: $0.entry.name)).inserted }
        guard !new.isEmpty else { return .success(names.sorted()) }
        names += new.map(\.name)
        guard names.count <= groups.limit else { throw Self.tooMany(groups) }
        guard groups.isNested else { return .success(names.sorted()) }
        guard depth < groups.depth else { throw Unfit(detail: "the user's groups are nested deeper than \(groups.depth)") }
        depth += 1
        level = try self.above(new.map(\.entry), groups, left: groups.limit - names.count)
      }
    } catch let unfit as Unfit {
      return .failure(unfit)
    } catch let fault as DirectoryFault {
      throw fault
    } catch {
      return .failure(Unfit(detail: "\(error)"))
    }
  }

  private static func tooMany(_ groups: LDAPConfiguration.Groups) -> Unfit {
    Unfit(detail: "the user has more than \(groups.limit) groups")
  }

  private func direct(_ groups: LDAPConfiguration.Groups, _ user: DirectoryEntry, _ username: String) throws -> [Group] {
    switch groups.source {
    case .search(let base, let scope, let filter):
      return try self.found(base, scope, filter.filter(username: username, dn: user.name), groups, left: groups.limit)
    case .memberOf(let attribute): return try self.named(by: user, attribute, groups)
    }
  }

  /// The groups that have one of these as a member.
  private func above(_ members: [DirectoryEntry], _ groups: LDAPConfiguration.Groups, left: Int) throws -> [Group] {
    switch groups.source {
    case .search(let base, let scope, let filter):
      guard let filter = filter.aboutGroups else { return [] }
      var found: [Group] = []
      for start in stride(from: 0, to: members.count, by: Self.batch) {
        let names = members[start..<min(start + Self.batch, members.count)].map(\.name)
        // Those that are known already come again where groups are in a ring, so that the limit is not what is left.
        found += try self.found(base, scope, filter.filter(anyOf: names), groups, left: groups.limit)
      }
      return found
    case .memberOf(let attribute):
      var found: [Group] = []
      for member in members { found += try self.named(by: member, attribute, groups) }
      return found
    }
  }

  private func found(
    _ base: DistinguishedName, _ scope: LDAPConfiguration.Scope, _ filter: LDAPFilter, _ groups: LDAPConfiguration.Groups, left: Int
  ) throws -> [Group] {
    let entries: [DirectoryEntry]
    do throws(DirectoryFault) {
      entries = try self.search(
        DirectorySearch(
          base: base.text, scope: scope == .one ? .one : .subtree, filter: filter, attributes: [groups.name], atMost: left + 1))
    } catch {
      guard error.kind == .answered(Int32(LDAP_SIZELIMIT_EXCEEDED)) else { throw error }
      throw Self.tooMany(groups)
    }
    return try entries.map { Group(name: try self.name(of: $0, groups), entry: $0) }
  }

  /// The groups that an entry names as its own.
  private func named(by member: DirectoryEntry, _ attribute: AttributeName, _ groups: LDAPConfiguration.Groups) throws -> [Group] {
    let values = try AttributeText.all(attribute, of: member)
    guard values.count <= groups.limit else { throw Self.tooMany(groups) }
    return try values.compactMap { value in
      if !groups.isNested, let own = (try? DistinguishedName(parsing: value))?.ownValue(of: groups.name) {
        return Group(name: own, entry: DirectoryEntry(name: value, attributes: [:]))
      }
      // A group that is gone, or that the service account may not see, is none.
      guard let entry = try self.entry(at: value, .everything, [groups.name, attribute]) else { return nil }
      return Group(name: try self.name(of: entry, groups), entry: entry)
    }
  }

  /// A group may have several values of the attribute; the one that it is named by counts then.
  private func name(of group: DirectoryEntry, _ groups: LDAPConfiguration.Groups) throws(Unfit) -> String {
    let values = try AttributeText.all(groups.name, of: group)
    if values.count == 1 { return values[0] }
    guard let own = (try? DistinguishedName(parsing: group.name))?.ownValue(of: groups.name), values.contains(own) else {
      throw Unfit(detail: values.isEmpty ? "a group has no \(groups.name)" : "a group has several values of \(groups.name)")
    }
    return own
  }
}
