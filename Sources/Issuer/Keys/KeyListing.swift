public import Foundation

/// What `sallyport keys list` tells of a directory.
public struct KeyListing: Sendable, Encodable {
  public struct Key: Sendable, Encodable {
    public let file: String
    /// `kid`
    public let id: String
    public let algorithm: String
    /// `next`, `signing`, `retiring` or `dead`
    public let phase: String
    /// From when on it signs.
    public let begins: Date
    /// Until when it is published; only for one that is retiring.
    public let publishedUntil: Date?
  }

  public let keys: [Key]

  /// - Parameter tokenLifetime: the issuer's, in seconds
  /// - Throws: ``IssuerFault``
  public init(_ directory: KeyDirectory, tokenLifetime: Double, at now: Date) throws(IssuerFault) {
    let files = try directory.read()
    let ring = KeyRing(files.map(\.entry), tokenLifetime: tokenLifetime)
    self.keys = ring.entries.indices.map { index in
      let entry = ring.entries[index]
      let (phase, until): (String, Date?) =
        switch ring.phase(ofEntry: index, at: now) {
        case .next: ("next", nil)
        case .signing: ("signing", nil)
        case .retiring(let until): ("retiring", until)
        case .dead: ("dead", nil)
        }
      return Key(
        file: files.first { $0.entry.key.id == entry.key.id }?.name ?? "", id: entry.key.id, algorithm: entry.key.algorithm.rawValue,
        phase: phase, begins: entry.begins, publishedUntil: until)
    }
  }

  /// A line each.
  public var text: String {
    self.keys.map { key in
      let until = key.publishedUntil.map { ", published until \($0.formatted(.iso8601))" } ?? ""
      let begins = "\(key.phase == "next" ? "signs from" : "since") \(key.begins.formatted(.iso8601))"
      return "\(key.file)  \(key.algorithm)  \(key.phase), \(begins)\(until)  kid \(key.id)"
    }.joined(separator: "\n")
  }

  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return String(decoding: try encoder.encode(self.keys), as: UTF8.self)
  }
}
