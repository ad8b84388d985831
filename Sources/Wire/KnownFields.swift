/// A set of ``KnownField``s in one machine word.
///
/// A header table knows which kinds it holds, so that to ask for a field that is not there, or to remove kinds of which none
/// came, costs one comparison and no walk.
public struct KnownFields: OptionSet, Sendable, Hashable {
  public let rawValue: UInt64

  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The set that holds this kind alone. `KnownField` has fewer than 64 cases, which a test holds.
  @inlinable
  public init(_ field: KnownField) { self.rawValue = 1 << UInt64(field.rawValue) }

  @inlinable
  public func contains(_ field: KnownField) -> Bool { self.rawValue >> UInt64(field.rawValue) & 1 == 1 }

  /// The fields that are for one connection only: see ``KnownField/isHopByHop``.
  public static let hopByHop = Self(where: \.isHopByHop)
  /// The fields that say who the client is or where it comes from: see ``KnownField/isIdentity``.
  public static let identity = Self(where: \.isIdentity)

  /// The kinds for which `condition` holds.
  public init(where condition: (KnownField) -> Bool) {
    self = KnownField.allCases.reduce(into: []) { set, field in
      if condition(field) { set.insert(Self(field)) }
    }
  }
}
