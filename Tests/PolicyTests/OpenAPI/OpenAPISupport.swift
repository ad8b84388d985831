import Foundation
import SallyportPolicy
import SallyportWire
import Testing

/// The documents that a real API server (1.36.2) served, in `shared/kubernetes/openapi` beside the repository.
///
/// A clone that has no such folder beside it tests the samples that the tests carry, and says so; in CI it must be there.
enum RecordedDocument: String, CaseIterable {
  case v2, v3Core = "v3-api-v1", v3Apps = "v3-apis-apps-v1", v3Index = "v3-index"

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../../shared/kubernetes/openapi").standardizedFileURL

  /// `nil` where the folder is not there.
  func bytes() throws -> [UInt8]? {
    if let data = try? Data(contentsOf: Self.folder.appending(path: "\(self.rawValue).json")) { return Array(data) }
    if ProcessInfo.processInfo.environment["CI"] == "true" {
      Issue.record("\(self.rawValue).json is not in shared/kubernetes/openapi beside the repository")
    }
    print("shared/kubernetes/openapi is not beside the repository: \(self.rawValue).json is not tested")
    return nil
  }

  func document(_ reader: OpenAPIReader = OpenAPIReader()) throws -> OpenAPIDocument? {
    try self.bytes().map { try reader.read($0, name: "\(self.rawValue).json") }
  }
}

func read(_ text: String, _ reader: OpenAPIReader = OpenAPIReader()) throws(OpenAPIFaults) -> OpenAPIDocument {
  try reader.read(Array(text.utf8), name: "api")
}

/// What a reader complains of; a document that it takes has nothing to complain of.
func faults(of text: String, _ reader: OpenAPIReader = OpenAPIReader()) -> [String] {
  do {
    _ = try read(text, reader)
    return []
  } catch {
    return error.faults.map(\.description)
  }
}

/// An OpenAPI 3.0 document of these paths.
func openAPI(_ paths: String, _ more: String = "") -> String {
  #"{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{\#(paths)}\#(more.isEmpty ? "" : ",\(more)")}"#
}

extension OpenAPIDocument {
  /// `GET /pets/{id} getPet`, in the document's order.
  var lines: [String] { self.catalogue.operations.map { "\($0.method) \($0.path) \($0.id)" } }
}
