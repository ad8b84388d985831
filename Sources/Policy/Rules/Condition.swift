public import SallyportCore

/// What `unless` and `only` ask of a request: one of the users or groups, and each other key.
///
/// A request that has no namespace or no name (a list, a create, one for all namespaces) never fulfils `namespaces` or
/// `names`: nobody is let off for an object that is not named.
public struct Condition: Sendable, Hashable {
  public var users: NameSet?
  public var groups: NameSet?
  public var namespaces: NameSet?
  public var names: NameSet?
  public var authentication: [AuthenticationMethod]?
  public var clientCIDR: [NetworkRange]?

  public init(
    users: NameSet? = nil, groups: NameSet? = nil, namespaces: NameSet? = nil, names: NameSet? = nil,
    authentication: [AuthenticationMethod]? = nil, clientCIDR: [NetworkRange]? = nil
  ) {
    self.users = users
    self.groups = groups
    self.namespaces = namespaces
    self.names = names
    self.authentication = authentication
    self.clientCIDR = clientCIDR
  }

  /// The parts of a condition, each judged by itself.
  enum Part: String, Sendable, CaseIterable {
    case identity, namespaces, names, authentication, clientCIDR
  }

  /// Whether a part holds; `nil` for one that the condition does not have.
  func holds(_ part: Part, for asker: Asker, of question: PolicyQuestion) -> Bool? {
    switch part {
    case .identity:
      if self.users == nil && self.groups == nil { return nil }
      return self.users?.contains(asker.user) == true || self.groups.map(asker.isMember) == true
    case .namespaces:
      guard let namespaces = self.namespaces else { return nil }
      guard let namespace = question.namespace else { return false }
      return namespaces.contains(namespace)
    case .names:
      guard let names = self.names else { return nil }
      guard let name = question.name else { return false }
      return names.contains(name)
    case .authentication:
      guard let methods = self.authentication else { return nil }
      guard let method = question.authentication else { return false }
      return methods.contains(method)
    case .clientCIDR:
      guard let ranges = self.clientCIDR else { return nil }
      guard let address = NetworkAddress(question.clientIP) else { return false }
      return ranges.contains { $0.contains(address) }
    }
  }

  func holds(for asker: Asker, of question: PolicyQuestion) -> Bool {
    self.holds(.identity, for: asker, of: question) != false
      && self.holds(.namespaces, for: asker, of: question) != false
      && self.holds(.names, for: asker, of: question) != false
      && self.holds(.authentication, for: asker, of: question) != false
      && self.holds(.clientCIDR, for: asker, of: question) != false
  }
}
