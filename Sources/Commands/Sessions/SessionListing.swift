import SallyportJSON

/// The sessions of a gateway, as its control socket tells them.
public struct SessionListing: Sendable {
  private struct Row: Sendable {
    let cells: [String]
  }

  private static let heading = Row(cells: ["SESSION", "USER", "SIGNED IN BY", "FROM", "BEGAN", "LAST USED", "ENDS"])
  private static let members = ["session", "user", "signedInBy", "address", "began", "used", "ends"]

  private let sessions: [JSONValue]
  /// Whether there are more than are listed.
  public let isCut: Bool

  /// - Throws: ``CommandFailure`` for what is no such list
  init(_ document: JSONValue) throws(CommandFailure) {
    guard let sessions = document["sessions"]?.array, let isCut = document["isCut"]?.bool else {
      throw CommandFailure("the gateway answers what this version does not understand")
    }
    self.sessions = sessions
    self.isCut = isCut
  }

  /// An array of objects.
  public var json: String { String(decoding: JSONWriter.write(.array(self.sessions)), as: UTF8.self) }

  /// A table with a heading; a line alone where there are none.
  public var text: String {
    guard !self.sessions.isEmpty else { return "nobody is signed in" }
    let rows =
      [Self.heading]
      + self.sessions.map { session in
        Row(cells: Self.members.map { session[$0]?.string.map(Self.shown) ?? "-" })
      }
    let widths = Self.heading.cells.indices.map { column in rows.map { $0.cells[column].count }.max() ?? 0 }
    return rows.map { row in
      let padded = zip(row.cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
      return padded.joined(separator: "  ").trimmed
    }.joined(separator: "\n")
  }

  /// A name may hold what a terminal would obey.
  private static func shown(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { self.isPlain($0) ? $0 : "?" }))
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }
}

extension String {
  fileprivate var trimmed: String { String(self.reversed().drop { $0 == " " }.reversed()) }
}
