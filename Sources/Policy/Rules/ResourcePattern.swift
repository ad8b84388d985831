public import SallyportStrictYAML
import SallyportWire

/// Resources as rules name them.
///
/// ```
/// pattern  = "*" / names [ "/" names ]        ; "*" alone: every resource and subresource
/// names    = resource [ "." group ]           ; without a group: the resource of this name in any group
/// ```
/// Each part may hold `*`. `core` stands for the core group, whose real name is empty.
public struct ResourcePattern: Sendable, Hashable, CustomStringConvertible {
  public let text: String
  let resource: NamePattern
  /// `nil` for any group.
  let group: NamePattern?
  /// `nil` for the resource itself.
  let subresource: NamePattern?
  /// Every resource with every subresource.
  let isEverything: Bool

  public init(parsing text: String) throws(ValueFault) {
    let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let names = halves[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.allSatisfy({ !$0.isEmpty }), names.allSatisfy({ !$0.isEmpty }), text.utf8.allSatisfy(Self.isPlain),
      halves.count == 1 || !halves[1].contains(where: { $0 == "/" || $0 == "." })
    else {
      throw ValueFault(
        "is not a resource",
        "write it as in secrets, deployments.apps, pods/exec, *.apps or *, in lower case, secrets.core for the core group")
    }
    self.text = text
    self.resource = NamePattern(String(names[0]))
    self.group = names.count == 2 ? NamePattern(names[1] == "core" ? "" : String(names[1])) : nil
    self.subresource = halves.count == 2 ? NamePattern(String(halves[1])) : nil
    self.isEverything = text == "*"
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "*"): true
    default: false
    }
  }

  public var description: String { self.text }

  /// Whether a resource request is for such a resource.
  func matches(_ info: RequestInfo) -> Bool {
    self.isEverything || self.matches(group: info.apiGroup, resource: info.resource, subresource: info.effectiveSubresource)
  }

  /// - Parameters:
  ///   - group: empty for the core group
  ///   - subresource: empty for the resource itself
  func matches(group: String, resource: String, subresource: String) -> Bool {
    if self.isEverything { return true }
    if let wanted = self.subresource {
      guard !subresource.isEmpty, wanted.matches(subresource) else { return false }
    } else if !subresource.isEmpty {
      return false
    }
    return self.resource.matches(resource) && (self.group?.matches(group) ?? true)
  }
}
