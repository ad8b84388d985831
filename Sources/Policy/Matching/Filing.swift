/// Where a clause is filed in its bucket: by the first of its demands that can be looked up.
enum Filing {
  case always
  case namespaces(NameSet)
  case names(NameSet)
  case people(users: NameSet?, groups: NameSet?)

  init(_ selector: Selector, of rule: Rule) {
    if let namespaces = selector.namespaces, Self.canFile(namespaces) {
      self = .namespaces(namespaces)
    } else if let names = selector.names, Self.canFile(names) {
      self = .names(names)
    } else if let only = rule.only {
      self.init(users: only.users, groups: only.groups)
    } else {
      self = .always
    }
  }

  /// One of the users or groups, where they can be looked up.
  init(users: NameSet?, groups: NameSet?) {
    let isAsked = users != nil || groups != nil
    let canFile = users.map(Self.canFile) != false && groups.map(Self.canFile) != false
    self = isAsked && canFile ? .people(users: users, groups: groups) : .always
  }

  /// Whether a set of patterns can be looked up: one that begins with a star could be any name.
  private static func canFile(_ names: NameSet) -> Bool {
    names.patterns.allSatisfy { $0.isLiteral || !$0.beginning.isEmpty }
  }
}
