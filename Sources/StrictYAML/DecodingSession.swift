/// What all cursors of one document share: the list of faults, and the keys that were asked for.
///
/// It lives as long as one call of ``StrictYAML/decode(_:fileName:limits:_:)`` and never leaves its thread.
final class DecodingSession {
  /// A document made to be wrong in a million places is reported on in this many.
  static let mostFaults = 100

  let fileName: String
  private(set) var faults: [FileFault] = []
  /// Every key path that the decoding asked for, with `[]` for any index.
  private(set) var askedPaths: Set<String> = []

  init(fileName: String) {
    self.fileName = fileName
  }

  func place(_ position: YAMLTree.Position, _ path: YAMLPath) -> FilePlace {
    FilePlace(file: self.fileName, line: position.line, column: position.column, keyPath: path.description)
  }

  func record(at position: YAMLTree.Position, _ path: YAMLPath, _ problem: String, _ remedy: String) {
    guard self.faults.count < Self.mostFaults else { return }
    self.faults.append(FileFault(at: self.place(position, path), problem, remedy))
  }

  func hasFault(at position: YAMLTree.Position) -> Bool {
    self.faults.contains { $0.place.line == position.line && $0.place.column == position.column }
  }

  func asked(for path: YAMLPath) {
    self.askedPaths.insert(path.pattern)
  }
}

/// The keys and indices that lead to a value.
struct YAMLPath: Sendable, CustomStringConvertible {
  private enum Step: Sendable {
    case key(String)
    case index(Int)
  }

  static let root = YAMLPath(steps: [])

  private let steps: [Step]

  func key(_ key: String) -> YAMLPath { YAMLPath(steps: self.steps + [.key(key)]) }
  func index(_ index: Int) -> YAMLPath { YAMLPath(steps: self.steps + [.index(index)]) }

  var description: String { self.rendered { "[\($0)]" } }
  /// The path with every index left open.
  var pattern: String { self.rendered { _ in "[]" } }

  private func rendered(_ index: (Int) -> String) -> String {
    self.steps.reduce(into: "") { text, step in
      switch step {
      case .index(let number): text += index(number)
      case .key(let key):
        switch Printable(key) {
        case .word: text += text.isEmpty ? key : ".\(key)"
        case .phrase: text += "[\"\(key)\"]"
        case .unprintable: text += "[…]"
        }
      }
    }
  }
}

/// Whether something out of a document may stand in a message.
///
/// A key is written by an operator and may still be a password hash in the wrong place, or a terminal escape: only short
/// text of letters, digits and a few marks is repeated, and `$` is not among them.
enum Printable {
  case word, phrase, unprintable

  init(_ text: String) {
    let scalars = text.unicodeScalars
    guard !text.isEmpty, scalars.count <= 64 else {
      self = .unprintable
      return
    }
    if scalars.allSatisfy({ Self.isWord($0) }) {
      self = .word
    } else if scalars.allSatisfy({ Self.isWord($0) || ".:/@+ *?,".unicodeScalars.contains($0) }) {
      self = .phrase
    } else {
      self = .unprintable
    }
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal || scalar == "-" || scalar == "_"
  }

  /// The text between back quotes, or a stand-in for one that may not be repeated.
  static func quoted(_ text: String, or standIn: String) -> String {
    switch Printable(text) {
    case .word, .phrase: "`\(text)`"
    case .unprintable: standIn
    }
  }
}
