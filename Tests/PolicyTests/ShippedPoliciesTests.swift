import Foundation
import SallyportPolicy
import SallyportStrictYAML
import Testing

@Suite struct ShippedPoliciesTests {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../policies").standardizedFileURL

  static let files = [
    "secrets-are-private", "secrets-strict", "read-only", "no-exec", "namespace-team", "no-impersonation", "discovery-only",
    "no-delete-in-production",
  ]

  static func load(_ name: String) throws -> PolicyDocument {
    try PolicyFiles.load(self.directory.appending(path: "\(name).yaml").path)
  }

  @Test func allFilesOfTheFolderAreTested() {
    let found = PolicyFiles.matching(Self.directory.path + "/*.yaml").map { URL(filePath: $0).deletingPathExtension().lastPathComponent }
    #expect(found == Self.files.sorted())
  }

  @Test(arguments: files) func itsOwnTestsPass(_ name: String) throws {
    let document = try Self.load(name)
    #expect(document.tests.count >= 8)
    #expect(document.tests.contains { $0.expectation == .allow } && document.tests.contains { $0.expectation == .deny })
    for outcome in PolicyTestRun(document, catalogue: nil).outcomes {
      #expect(outcome.failure == nil, "\(name), line \(outcome.test.place.line): \(outcome.test.request) of \(outcome.test.user)")
    }
  }

  @Test(arguments: files) func itsOwnTestsPassAgainstARealServersDocument(_ name: String) throws {
    guard let catalogue = try RecordedDocument.v2.document()?.catalogue else { return }
    let document = try Self.load(name)
    let run = PolicyTestRun(document, catalogue: catalogue)
    #expect(run.failures.isEmpty, "\(name): \(run.failures.map { "\($0.test.request): \($0.failure ?? "")" })")
    #expect(run.selectingNothing.map(\.fault.description) == [], "everything that a shipped rule names is there")
  }

  @Test(arguments: files) func itSaysWhatItIsForAndNeedsNoOpenAPIDocument(_ name: String) throws {
    let text = try String(contentsOf: Self.directory.appending(path: "\(name).yaml"), encoding: .utf8)
    #expect(text.hasPrefix("# "))
    let document = try Self.load(name)
    #expect(!document.needsCatalogue)
    #expect(document.warnings.isEmpty)
  }
}
