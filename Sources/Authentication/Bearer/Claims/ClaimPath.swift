import SallyportCore
import SallyportJSON

/// Where a claim stands in a token: `email`, or the keys of nested objects, `realm_access.roles`.
///
/// A token may hold a claim whose name has dots of its own (`https://example.com/groups`), so the whole text is looked for
/// first, and only then its parts.
public struct ClaimPath: Sendable, Hashable, CustomStringConvertible {
  public let description: String
  private let keys: [String]

  /// - Parameter text: not empty
  public init(_ text: String) {
    self.description = text
    self.keys = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }

  func value(in claims: [String: JSONValue]) -> JSONValue? {
    if let value = claims[self.description] { return value }
    guard self.keys.count > 1 else { return nil }
    var value = JSONValue.object(claims)
    for key in self.keys {
      guard let next = value[key] else { return nil }
      value = next
    }
    return value
  }
}

extension [ClaimPath] {
  /// What these claims say; without those that are missing, and those that are no text, number or boolean, or a list of them.
  func stated(in claims: [String: JSONValue]) -> [String: Identity.StatedClaim] {
    self.reduce(into: [:]) { stated, path in
      guard let value = path.value(in: claims) else { return }
      if let items = value.array {
        let texts = items.compactMap(\.statedText)
        if texts.count == items.count { stated[path.description] = .list(texts) }
      } else {
        stated[path.description] = value.statedFlag ?? value.statedText.map { .text($0) }
      }
    }
  }
}

extension JSONValue {
  fileprivate var statedFlag: Identity.StatedClaim? { self.bool.map { .flag($0) } }

  fileprivate var statedText: String? {
    switch self {
    case .string(let text): text
    case .integer(let number): String(number)
    // Beyond that a number has been rounded when it was read, and would be written as another one.
    case .number(let number): number.magnitude < 0x1p53 ? String(number) : nil
    case .bool(let flag): flag ? "true" : "false"
    case .null, .array, .object: nil
    }
  }
}
