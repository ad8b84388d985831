/// One thing that is wrong with an OpenAPI document.
public struct OpenAPIFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// The document as it was named to the reader: a file's name, or an entry of the v3 index.
  public let document: String
  /// Where in the document, as a JSON pointer (RFC 6901): `/paths/~1pets/get`. Empty for the document as a whole.
  public let pointer: String
  /// What is wrong: the predicate of a sentence whose subject is the place, and what would be right.
  public let message: String

  init(document: String, pointer: JSONPointer, _ message: String) {
    self.document = Self.printable(document)
    self.pointer = Self.printable(pointer.description)
    self.message = Self.printable(message, atMost: 1024)
  }

  /// `document#/pointer: what is wrong`
  public var description: String { "\(self.document)\(self.pointer.isEmpty ? "" : "#\(self.pointer)"): \(self.message)" }

  /// A document that somebody else wrote must not clear the operator's terminal, nor fill a log: what does not print is
  /// shown as its number, and what is long is cut.
  static func printable(_ text: String, atMost limit: Int = 256) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
      guard shown.utf8.count < limit else { return shown + "…" }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
        shown += "\\u{\(String(scalar.value, radix: 16))}"
      default: shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }
}

/// Why an OpenAPI document is refused: everything that was found, in the order of the document. Never empty.
public struct OpenAPIFaults: Error, Sendable, Equatable, CustomStringConvertible {
  public let faults: [OpenAPIFault]

  public init(_ faults: [OpenAPIFault]) { self.faults = faults }
  init(_ fault: OpenAPIFault) { self.faults = [fault] }

  /// One fault a line.
  public var description: String { self.faults.map(\.description).joined(separator: "\n") }
}
