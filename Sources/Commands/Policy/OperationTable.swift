import Foundation
public import SallyportPolicy
import SallyportWire

/// The operations of an API as `sallyport policy operations` lists them: the words that rules are made of.
public struct OperationTable: Sendable {
  public struct Row: Sendable, Codable, Hashable {
    public let id: String
    public let method: String
    public let path: String
    /// The verb of Kubernetes; `nil` for what is no request for a resource.
    public let verb: String?
    /// Empty for the core group; `nil` where the document names no kind.
    public let group: String?
    public let version: String?
    public let kind: String?
  }

  public let rows: [Row]

  /// - Parameter patterns: the operations to list, by their ids, as a rule's `operations` would name them; none for all
  public init(_ catalogue: Catalogue, matching patterns: [String] = []) {
    let patterns = patterns.map { NamePattern($0) }
    self.rows = catalogue.operations.filter { operation in patterns.isEmpty || patterns.contains { $0.matches(operation.id) } }
      .map { operation in
        Row(
          id: operation.id, method: operation.method.description, path: operation.path, verb: operation.verb,
          group: operation.kind?.group, version: operation.kind?.version, kind: operation.kind?.kind)
      }
  }

  /// One operation a line under a heading, in columns.
  public var text: String {
    let heading = ["ID", "METHOD", "PATH", "VERB", "GROUP/VERSION/KIND"]
    let lines = [heading] + self.rows.map { [$0.id, $0.method, $0.path, $0.verb ?? "-", $0.kindText] }
    let widths = heading.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      cells.enumerated().map { column, cell in
        column == cells.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// The rows as a JSON list with sorted keys.
  public func json() throws -> String { try JSONText.of(self.rows) }
}

extension OperationTable.Row {
  /// `apps/v1/Deployment`, `v1/Pod`, `-`.
  fileprivate var kindText: String {
    guard let kind = self.kind, let version = self.version else { return "-" }
    return (self.group.map { $0.isEmpty ? "" : "\($0)/" } ?? "") + "\(version)/\(kind)"
  }
}
