/// A search filter, ready to be sent. Nothing makes one but a ``FilterTemplate``, so that no value gets into it unescaped.
public struct LDAPFilter: Sendable, Hashable, CustomStringConvertible {
  /// As RFC 4515 writes it.
  public let text: String

  init(text: String) { self.text = text }

  /// Every entry.
  public static let everything = LDAPFilter(text: "(objectClass=*)")

  /// The entries that both admit.
  public func and(_ other: LDAPFilter) -> LDAPFilter { LDAPFilter(text: "(&\(self.text)\(other.text))") }

  public var description: String { self.text }
}

/// A filter of the configuration, read and understood, with places for a user name and a distinguished name.
public struct FilterTemplate: Sendable, Hashable {
  private let node: FilterNode

  private init(node: FilterNode) { self.node = node }

  /// - Throws: what is wrong with the text
  public init(parsing text: String) throws(LDAPSyntaxFault) {
    self.init(node: try FilterReader.read(text))
  }

  /// What must be filled in.
  public var placeholders: Set<FilterPlaceholder> { self.node.placeholders }

  /// The same filter with memberships asked through all groups between, by Active Directory's matching rule.
  public var inChain: FilterTemplate { FilterTemplate(node: self.node.inChain) }

  /// The filter without the parts about user names, which match nothing: what can be asked about a group. `nil` where
  /// nothing is left that asks for a `{dn}`.
  public var aboutGroups: FilterTemplate? {
    guard case .node(let node) = self.node.reduced(without: .username), node.placeholders.contains(.dn) else { return nil }
    return FilterTemplate(node: node)
  }

  /// Fills the places. Whatever the values hold, they are values: they add and change nothing else of the filter.
  public func filter(username: String, dn: String) -> LDAPFilter {
    LDAPFilter(text: self.text(username: username, dn: dn))
  }

  /// The entries that match for any of several distinguished names.
  public func filter(anyOf names: [String]) -> LDAPFilter {
    let filters = names.map { self.text(username: "", dn: $0) }
    return LDAPFilter(text: filters.count == 1 ? filters[0] : "(|\(filters.joined()))")
  }

  private func text(username: String, dn: String) -> String {
    self.node.text { placeholder in
      switch placeholder {
      case .username: Array(username.utf8)
      case .dn: Array(dn.utf8)
      }
    }
  }
}
