import Foundation
import SallyportPolicy
import Testing

/// The manual of the language against what is read.
@Suite struct LanguageManualTests {
  static let manual = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/POLICY.md").standardizedFileURL

  /// Every mapping of the language, at least once.
  static let everything = """
    apiVersion: sallyport.dev/v1alpha1
    kind: AccessPolicy
    metadata: {name: p}
    rules:
    - name: r
      deny: [{impersonates: {users: [a]}}]
      unless: {users: [a]}
      only: {users: [a]}
    - {name: s, allow: [{resources: [pods]}]}
    tests: [{user: a, request: GET /, expect: allow, as: {user: b}}]
    """

  @Test func everyKeyOfTheLanguageStandsInTheManual() throws {
    let manual = try String(contentsOf: Self.manual, encoding: .utf8)
    let keys = Set(PolicyDocument.knownKeys(of: Self.everything).map { $0.split(separator: ".").last.map(String.init) ?? "" })
    #expect(keys.count > 25)
    for key in keys.map({ $0.replacing("[]", with: "") }) where !key.isEmpty {
      #expect(manual.contains("`\(key)`") || manual.contains("\(key):") || manual.contains(".\(key)`"), "\(key)")
    }
  }

  @Test func theManualsFirstExampleIsAPolicyWhoseTestsPass() throws {
    let manual = try String(contentsOf: Self.manual, encoding: .utf8)
    let example = try #require(manual.split(separator: "```yaml\n").dropFirst().first?.components(separatedBy: "```").first)
    let document = try PolicyDocument.load(yaml: example, fileName: "POLICY.md")
    #expect(document.tests.count == 2)
    #expect(PolicyTestRun(document, catalogue: nil).failures.isEmpty)
  }

  @Test func everyShippedPolicyStandsInTheManual() throws {
    let manual = try String(contentsOf: Self.manual, encoding: .utf8)
    for file in ShippedPoliciesTests.files { #expect(manual.contains("`\(file).yaml`"), "\(file)") }
  }
}
