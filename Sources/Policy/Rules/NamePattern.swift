/// A name with `*` in it for any run of characters, none included: `team-*`, `*CoreV1*Secret*`.
///
/// Names are compared byte by byte and in their letter case: what Kubernetes tells apart is told apart here, also where
/// Unicode calls two spellings the same.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
  public let text: String
  /// The pieces between the stars; one piece where there is no star.
  private let pieces: [[UInt8]]

  public init(_ text: String) {
    self.text = text
    self.pieces = Array(text.utf8).split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
  }

  /// What a part of a path template stands for: a star for each parameter, and everything else for itself.
  init(pieces template: [PathTemplate.Piece]) {
    var pieces: [[UInt8]] = [[]]
    for piece in template {
      switch piece {
      case .text(let text): pieces[pieces.count - 1] += Array(text.utf8)
      case .parameter: pieces.append([])
      }
    }
    self.text = pieces.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "*")
    self.pieces = pieces
  }

  /// Whether the pattern stands for one name only.
  public var isLiteral: Bool { self.pieces.count == 1 }
  /// Whether the pattern stands for every name.
  public var matchesEverything: Bool { self.pieces.count > 1 && self.pieces.allSatisfy(\.isEmpty) }
  /// What stands before the first star.
  var beginning: String { String(decoding: self.pieces[0], as: UTF8.self) }
  public var description: String { self.text }

  public func matches(_ name: String) -> Bool {
    name.utf8.withContiguousStorageIfAvailable { self.matches($0) } ?? Array(name.utf8).withUnsafeBufferPointer { self.matches($0) }
  }

  /// - Parameter foldsCase: whether ASCII letters are the same in both cases; the pattern's own must be lower case then
  func matches(_ name: UnsafeBufferPointer<UInt8>, foldsCase: Bool = false) -> Bool {
    let first = self.pieces[0]
    guard self.pieces.count > 1 else { return name.count == first.count && Self.equal(name, 0, first, foldsCase) }
    let last = self.pieces[self.pieces.count - 1]
    guard name.count >= first.count + last.count, Self.equal(name, 0, first, foldsCase),
      Self.equal(name, name.count - last.count, last, foldsCase)
    else { return false }
    // What stands between two stars may be taken where it first fits.
    var start = first.count
    let end = name.count - last.count
    for piece in self.pieces[1..<self.pieces.count - 1] {
      while true {
        guard start + piece.count <= end else { return false }
        if Self.equal(name, start, piece, foldsCase) { break }
        start += 1
      }
      start += piece.count
    }
    return true
  }

  private static func equal(_ name: UnsafeBufferPointer<UInt8>, _ start: Int, _ piece: [UInt8], _ foldsCase: Bool) -> Bool {
    guard start + piece.count <= name.count else { return false }
    for index in piece.indices {
      let byte = name[start + index]
      guard (foldsCase ? self.lowercased(byte) : byte) == piece[index] else { return false }
    }
    return true
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  /// The pattern with its ASCII letters in lower case.
  var lowercased: NamePattern { NamePattern(String(decoding: self.text.utf8.map(Self.lowercased), as: UTF8.self)) }
}

/// Several names and patterns: a name is in the set when it fits one of them.
public struct NameSet: Sendable, Hashable {
  public let patterns: [NamePattern]
  /// The names without a star; a set of them is asked once, however many they are.
  private let literals: Literals
  private let globs: [NamePattern]

  public init(_ patterns: [NamePattern]) {
    self.patterns = patterns
    self.literals = Literals(patterns.filter(\.isLiteral).map(\.text))
    self.globs = patterns.filter { !$0.isLiteral }
  }

  private final class Literals: Sendable {
    let words: WordTable

    init(_ names: [String]) {
      var draft = WordTable.Draft()
      for name in names { draft.insert(name) }
      self.words = WordTable(draft)
    }
  }

  public func contains(_ name: String) -> Bool {
    if self.literals.words.id(of: name) != nil { return true }
    return self.globs.contains { $0.matches(name) }
  }

  public static func == (left: NameSet, right: NameSet) -> Bool { left.patterns == right.patterns }
  public func hash(into hasher: inout Hasher) { hasher.combine(self.patterns) }
}
