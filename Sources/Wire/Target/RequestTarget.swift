public import NIOCore

/// What a request line asks for, read once (RFC 9112 section 3.2).
///
/// Routing, policy and audit all use this one reading, and the bytes that it was made from go upstream, so that nothing
/// that was decided here is undone by a second opinion. The path is percent-decoded exactly once, as Go's `net/url` and
/// with it kube-apiserver does: `%2F` separates segments like `/`.
public struct RequestTarget: Sendable {
  /// The form in which the target was written.
  public enum Form: Sendable, Hashable {
    /// `/path?query`
    case origin
    /// `scheme://authority/path?query`, as a forward proxy gets it; only its path and query go upstream.
    case absolute
    /// `*`, for OPTIONS alone.
    case asterisk
    /// `host:port`, for CONNECT alone.
    case authority
  }

  public let form: Form
  /// The target as it was sent.
  public let raw: ByteBuffer
  /// The part of `raw` that goes upstream: path and query, byte for byte. Empty for CONNECT.
  public let forwarded: ByteBuffer
  /// The path after one percent-decoding; `/` where an absolute form has none.
  public let path: String
  /// The query without its `?`, still encoded; `nil` where there is no `?`.
  public let query: String?
  /// What is unusual about the spelling.
  public let oddities: TargetOddities

  init(form: Form, raw: ByteBuffer, forwarded: ByteBuffer, path: String, query: String?, oddities: TargetOddities) {
    self.form = form
    self.raw = raw
    self.forwarded = forwarded
    self.path = path
    self.query = query
    self.oddities = oddities
  }

  /// Reads a target.
  ///
  /// - Throws: ``MalformedMessage`` with status 400 for a target that no server should serve: a blank or control byte,
  ///   a broken percent escape in the path, a form that the method does not go with.
  public init(reading raw: ByteBuffer, for method: Method) throws(MalformedMessage) {
    fatalError("being written")
  }
}

/// Spellings of a target that some reader on the way might take for another (see `docs/THREAT_MODEL.md`).
public struct TargetOddities: OptionSet, Sendable, Hashable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// A slash was written `%2F`.
  public static let encodedSlash = Self(rawValue: 1 << 0)
  /// A segment is `.` or `..`, also when a part of it was encoded.
  public static let dotSegment = Self(rawValue: 1 << 1)
  /// Two slashes stand side by side, not counting those at the end.
  public static let emptySegment = Self(rawValue: 1 << 2)
  /// A backslash, raw or encoded.
  public static let backslash = Self(rawValue: 1 << 3)
  /// A control character (NUL included) was encoded into the path.
  public static let controlCharacter = Self(rawValue: 1 << 4)
  /// The decoded path is no UTF-8.
  public static let invalidUTF8 = Self(rawValue: 1 << 5)
  /// `#` stands in the target.
  public static let fragment = Self(rawValue: 1 << 6)
  /// A dot was written `%2E`.
  public static let encodedDot = Self(rawValue: 1 << 7)
  /// The path's first byte is not `/` after decoding, or two or more slashes open it.
  public static let doubleLeadingSlash = Self(rawValue: 1 << 8)
}
