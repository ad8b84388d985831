/// Spellings of a target that some reader on the way might take for another (see `docs/THREAT_MODEL.md`).
public struct TargetOddities: OptionSet, Sendable, Hashable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// A slash was written `%2F`.
  public static let encodedSlash = Self(rawValue: 1 << 0)
  /// A segment is `.` or `..`, also when a part of it was encoded, or is once its `;` parameters are taken away.
  public static let dotSegment = Self(rawValue: 1 << 1)
  /// Two slashes stand side by side, not counting those at the beginning and the end.
  public static let emptySegment = Self(rawValue: 1 << 2)
  /// A backslash in the path, raw or encoded.
  public static let backslash = Self(rawValue: 1 << 3)
  /// A control character (NUL, DEL and U+0080 to U+009F included) was encoded into the path.
  public static let controlCharacter = Self(rawValue: 1 << 4)
  /// The decoded path is no UTF-8.
  public static let invalidUTF8 = Self(rawValue: 1 << 5)
  /// `#` stands in the target, in its path or in its query.
  public static let fragment = Self(rawValue: 1 << 6)
  /// A dot was written `%2E`.
  public static let encodedDot = Self(rawValue: 1 << 7)
  /// Two or more slashes open the path, one of them perhaps encoded.
  public static let doubleLeadingSlash = Self(rawValue: 1 << 8)
  /// The query has more than 10,000 parameters.
  public static let tooManyParameters = Self(rawValue: 1 << 9)
  /// A segment is nothing but its `;` parameters, so that it is an empty one to servers that take them away.
  public static let bareParameters = Self(rawValue: 1 << 10)
  /// A percent sign was written `%25`, and what follows makes an escape of it to whoever decodes twice.
  public static let doubleEscape = Self(rawValue: 1 << 11)
}
