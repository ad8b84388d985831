/// A filter as a tree (RFC 4515 section 3), with places in its values that are still to be filled.
indirect enum FilterNode: Sendable, Hashable {
  case and([FilterNode])
  case or([FilterNode])
  case not(FilterNode)
  /// Everything before the value (`member`, `cn:dn:2.4.6.8.10`), the operator and the value.
  case item(left: String, operator: String, value: [ValuePart])

  enum ValuePart: Sendable, Hashable {
    case bytes([UInt8])
    case placeholder(FilterPlaceholder)
    /// The `*` of a substring or presence.
    case wildcard
  }

  var placeholders: Set<FilterPlaceholder> {
    switch self {
    case .and(let nodes), .or(let nodes): nodes.reduce(into: []) { $0.formUnion($1.placeholders) }
    case .not(let node): node.placeholders
    case .item(_, _, let value):
      Set(value.compactMap { part in if case .placeholder(let placeholder) = part { placeholder } else { nil } })
    }
  }

  /// The filter's text. Every byte of a value that could be anything else than itself is escaped.
  func text(_ fill: (FilterPlaceholder) -> [UInt8]) -> String {
    switch self {
    case .and(let nodes): "(&\(nodes.map { $0.text(fill) }.joined()))"
    case .or(let nodes): "(|\(nodes.map { $0.text(fill) }.joined()))"
    case .not(let node): "(!\(node.text(fill)))"
    case .item(let left, let op, let value):
      "(\(left)\(op)\(Self.text(of: value, fill)))"
    }
  }

  private static func text(of value: [ValuePart], _ fill: (FilterPlaceholder) -> [UInt8]) -> String {
    value.map { part in
      switch part {
      case .bytes(let bytes): self.escape(bytes)
      case .placeholder(let placeholder): self.escape(fill(placeholder))
      case .wildcard: "*"
      }
    }.joined()
  }

  static func escape(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { PlainByte.contains($0) ? String(UnicodeScalar($0)) : HexText.escaped($0) }.joined()
  }

  /// What a filter comes to when some of its items are known to match nothing.
  enum Reduced {
    case always, never
    case node(FilterNode)
  }

  /// The filter without the items that hold a placeholder, which match nothing.
  func reduced(without placeholder: FilterPlaceholder) -> Reduced {
    switch self {
    case .item:
      return self.placeholders.contains(placeholder) ? .never : .node(self)
    case .not(let node):
      switch node.reduced(without: placeholder) {
      case .always: return .never
      case .never: return .always
      case .node(let node): return .node(.not(node))
      }
    case .and(let nodes):
      var rest: [FilterNode] = []
      for node in nodes {
        switch node.reduced(without: placeholder) {
        case .never: return .never
        case .always: continue
        case .node(let node): rest.append(node)
        }
      }
      return rest.isEmpty ? .always : .node(rest.count == 1 ? rest[0] : .and(rest))
    case .or(let nodes):
      var rest: [FilterNode] = []
      for node in nodes {
        switch node.reduced(without: placeholder) {
        case .always: return .always
        case .never: continue
        case .node(let node): rest.append(node)
        }
      }
      return rest.isEmpty ? .never : .node(rest.count == 1 ? rest[0] : .or(rest))
    }
  }

  /// The filter with every `(attribute={dn})` asked of the whole chain of memberships (`LDAP_MATCHING_RULE_IN_CHAIN`,
  /// Active Directory's 1.2.840.113556.1.4.1941).
  var inChain: FilterNode {
    switch self {
    case .and(let nodes): .and(nodes.map(\.inChain))
    case .or(let nodes): .or(nodes.map(\.inChain))
    case .not(let node): .not(node.inChain)
    case .item(let left, "=", [.placeholder(.dn)]):
      .item(left: left + ":1.2.840.113556.1.4.1941", operator: ":=", value: [.placeholder(.dn)])
    case .item: self
    }
  }
}

/// What a template leaves open.
public enum FilterPlaceholder: String, Sendable, Hashable, CaseIterable {
  case username, dn
}
