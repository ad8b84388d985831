/// A place in a file that an operator wrote: where a value stands and what it is called there.
public struct FilePlace: Sendable, Hashable {
  /// The file as it was named to the reader.
  public let file: String
  /// From 1.
  public let line: Int
  /// From 1, in Unicode scalars.
  public let column: Int
  /// The keys that lead to the value: `listeners[0].tls.certificateFile`. Empty for the document itself.
  public let keyPath: String

  public init(file: String, line: Int, column: Int, keyPath: String) {
    self.file = file
    self.line = line
    self.column = column
    self.keyPath = keyPath
  }
}

/// One thing that is wrong with a file, and what would be right.
///
/// The text never holds a value of the document: a file that holds password hashes can be reported on anywhere.
public struct FileFault: Sendable, Hashable, CustomStringConvertible {
  public enum Severity: Sendable, Hashable {
    /// The file cannot be used.
    case fault
    /// The file can be used, and somebody should look at it.
    case warning
  }

  public let severity: Severity
  public let place: FilePlace
  /// What is wrong: the predicate of a sentence whose subject is the key.
  public let problem: String
  /// What would be right, as an instruction.
  public let remedy: String

  public init(_ severity: Severity = .fault, at place: FilePlace, _ problem: String, _ remedy: String) {
    self.severity = severity
    self.place = place
    self.problem = problem
    self.remedy = remedy
  }

  /// `file:line:column: key.path: what is wrong; what would be right`
  public var description: String {
    let subject = self.place.keyPath.isEmpty ? "" : "\(self.place.keyPath): "
    let mark = self.severity == .warning ? "warning: " : ""
    return "\(self.place.file):\(self.place.line):\(self.place.column): \(mark)\(subject)\(self.problem); \(self.remedy)"
  }
}

/// Everything that is wrong with a file, in the order of the file. Never empty.
public struct FileFaults: Error, Sendable, Equatable, CustomStringConvertible {
  public let faults: [FileFault]

  public init(_ faults: [FileFault]) {
    self.faults = faults.sorted { left, right in
      (left.place.line, left.place.column, left.place.keyPath) < (right.place.line, right.place.column, right.place.keyPath)
    }
  }

  /// The faults of several files, in the order in which they are given.
  public init(inOrder faults: [FileFault]) {
    self.faults = faults
  }

  /// One fault a line.
  public var description: String { self.faults.map(\.description).joined(separator: "\n") }
}
