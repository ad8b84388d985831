/// Why a Redis server cannot be asked. The text is for the operator; no argument of a command is in it, and nothing that the
/// server words itself.
public struct RedisFault: Error, Sendable, Equatable, CustomStringConvertible {
  public let reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { self.reason }

  /// The longest word that says what kind of error a server answers with.
  private static let longestKind = 32

  /// What kind of error it is: the first word of an error reply, as in `WRONGPASS invalid username-password pair`. What stands
  /// behind it may repeat what was sent, or be anything at all where the server is another than it should be.
  static func kind(of text: String) -> String {
    let word = text.utf8.prefix { $0 != UInt8(ascii: " ") }
    let isKind = word.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || $0 == UInt8(ascii: "_") }
    guard isKind, (1...self.longestKind).contains(word.count) else { return "an error of no known kind" }
    return String(decoding: word, as: UTF8.self)
  }
}
