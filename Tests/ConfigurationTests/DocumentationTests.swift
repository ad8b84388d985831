import Foundation
import SallyportConfiguration
import SallyportStrictYAML
import Testing

@Suite struct DocumentationTests {
  /// docs/CONFIGURATION.md of this checkout.
  static func document() throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("docs/CONFIGURATION.md"), encoding: .utf8)
  }

  /// The key paths that stand at the beginning of a row of a table, each between back quotes.
  static func documentedKeys() throws -> Set<String> {
    Set(try self.document().split(separator: "\n").compactMap { $0.firstMatch(of: /^\| `([^`]+)` \|/).map { String($0.1) } })
  }

  @Test func theManualListsExactlyTheKeysThatAreRead() throws {
    let known: Set<String> = [
      everyKey, everyDirectoryKey, everyMemberOfKey, everyCredentialKey, everyTokenExchangeKey, everySignInKey,
      everySharedSessionKey, everySignInThemeKey, everyOpenIDKey, everyTemplateKey,
    ].map(
      GatewayConfiguration.knownKeys
    ).reduce(
      into: []) {
        $0.formUnion($1)
      }
    let documented = try Self.documentedKeys()
    #expect(known.subtracting(documented).sorted() == [])
    #expect(documented.subtracting(known).sorted() == [])
  }

  @Test func theManualsExampleIsAConfiguration() throws {
    let example = try #require(try Self.document().firstMatch(of: /```yaml\n(apiVersion(?:.|\n)*?)```/)).1
    let read = try GatewayConfiguration.load(yaml: String(example), fileName: "sallyport.yaml")
    #expect(read.routes.map(\.name) == ["dashboard", "api"])
  }
}
