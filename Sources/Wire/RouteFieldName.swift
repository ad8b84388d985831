/// The name of a header field that the operator may have set or removed: never one that frames a message, belongs to a
/// connection, or says who the client is.
///
/// Two names are equal where some server takes them for the same (``NameFolding``).
public struct RouteFieldName: Sendable, Hashable, CustomStringConvertible {
  /// Why a name cannot be set or removed.
  public enum Fault: Error, Equatable, Sendable {
    /// It is empty, or holds a byte that no name may hold.
    case notAToken
    /// It is the gateway's to write or the connection's.
    case reserved
  }

  /// The name as it is written.
  public let description: String
  fileprivate let folded: [UInt8]

  /// - Throws: ``Fault``
  public init(_ text: String) throws(Fault) {
    guard !text.isEmpty, text.utf8.count <= 256, text.utf8.allSatisfy(FieldBytes.isTokenByte) else { throw .notAToken }
    let folded = text.utf8.map(NameFolding.fold)
    guard !Self.isReserved(folded) else { throw .reserved }
    self.description = text
    self.folded = folded
  }

  public static func == (left: Self, right: Self) -> Bool { left.folded == right.folded }
  public func hash(into hasher: inout Hasher) { hasher.combine(self.folded) }

  private static let reservedPrefixes = ["sec-websocket-", "http2-", "proxy-", "x-forwarded-"].map { Array($0.utf8) }

  /// - Parameter name: folded, so that no spelling escapes
  private static func isReserved(_ name: [UInt8]) -> Bool {
    if let known = name.withUnsafeBytes({ KnownField(nameBytes: $0) }) {
      if known.isHopByHop || known.isIdentity { return true }
      switch known {
      // Who frames the body says so, and who reads it later has judged by what it was said to be.
      case .contentLength, .contentType, .contentEncoding, .host, .expect: return true
      default: break
      }
    }
    return self.reservedPrefixes.contains { name.starts(with: $0) }
  }
}

/// Names that are looked for in the fields of every request of a route.
public struct RouteFieldNames: Sendable, Hashable {
  private let folded: Set<[UInt8]>
  /// A bit for each length of a name below 64; nearly every field of a request has another.
  private let lengths: UInt64

  public init(_ names: some Sequence<RouteFieldName>) {
    self.folded = Set(names.map(\.folded))
    self.lengths = self.folded.reduce(0) { $0 | Self.bit(ofLength: $1.count) }
  }

  /// The fields without those that have one of the names in any spelling; `nil` where none has.
  public func removed(from fields: HeaderFields) -> HeaderFields? {
    guard fields.contains(where: self.contains) else { return nil }
    var left = fields
    left.removeAll(where: self.contains)
    return left
  }

  /// Whether a field has one of the names.
  public func contains(_ field: HeaderFields.Field) -> Bool {
    field.withName { name in
      self.lengths & Self.bit(ofLength: name.count) != 0 && self.folded.contains(name.map(NameFolding.fold))
    }
  }

  private static func bit(ofLength length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }
}
