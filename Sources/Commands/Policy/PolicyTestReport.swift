import SallyportCore
public import SallyportPolicy
public import SallyportService
import SallyportStrictYAML

/// What came of the test cases in policy files: `sallyport policy test`.
public struct PolicyTestReport: Sendable {
  public struct File: Sendable, Codable, Hashable {
    public let file: String
    public let policy: String
    public let cases: [Case]
  }

  public struct Case: Sendable, Codable, Hashable {
    public let line: Int
    public let user: String
    public let request: String
    /// `allow` or `deny`.
    public let expect: String
    /// `allow`, `deny`, or `refuse` for a request that cannot be read one way only.
    public let result: String
    /// The rule that decided; `nil` where none did.
    public let rule: String?
    public let passed: Bool
    /// Why the case failed; `nil` for one that passed.
    public let failure: String?
    /// How the decision came about; for a case that failed.
    public let explanation: Explanation?
  }

  public let files: [File]
  /// What somebody should look at.
  public let warnings: [String]

  /// Tries every case of every file, each on its own policy alone.
  ///
  /// - Parameters:
  ///   - files: policy files, or patterns of them
  ///   - openapi: the document that `operations` and `returns` are about; `nil` for none
  /// - Throws: ``StartFault``: files that cannot be read, rules that select nothing, a policy that needs a document and has none
  public init(files names: [String], openapi: String?) throws(StartFault) {
    let documents = try PolicyFileSet(names, together: false).documents
    let read = try openapi.map { file throws(StartFault) in try Catalogue.reading(file: file) }
    var faults: [String] = []
    var warnings = read?.warnings ?? []
    var files: [File] = []
    for document in documents {
      let file = document.place.file
      if read == nil, document.needsCatalogue {
        faults.append("\(file): speaks of operations or of what they return; give the API's description with --openapi")
        continue
      }
      let run = PolicyTestRun(document, catalogue: read?.catalogue)
      faults += run.selectingNothing.filter(\.hasNoEffect).map(\.fault.description)
      warnings += (document.warnings + run.selectingNothing.filter { !$0.hasNoEffect }.map(\.fault)).map(\.description)
      if document.tests.isEmpty { warnings.append("\(file): has no tests; nothing shows that it does what it is meant to") }
      files.append(File(file: file, policy: document.name, cases: run.outcomes.map(Case.init)))
    }
    guard faults.isEmpty else { throw StartFault(faults) }
    self.files = files
    self.warnings = warnings
  }

  public var failures: Int { self.files.reduce(0) { $0 + $1.cases.count { !$0.passed } } }

  /// A line for each file, each failure with its explanation, and a line at the end.
  public var text: String {
    var lines: [String] = []
    for file in self.files {
      let failed = file.cases.count { !$0.passed }
      lines.append("\(file.file): \(file.policy): \(file.cases.count - failed) of \(file.cases.count) pass")
      for tried in file.cases {
        guard let failure = tried.failure else { continue }
        lines.append("")
        lines.append("\(file.file):\(tried.line): FAILED: \(tried.user), \(tried.request), is expected to be \(tried.expected): \(failure)")
        lines += (tried.explanation?.text ?? "").split(separator: "\n", omittingEmptySubsequences: false).map {
          $0.isEmpty ? "" : "    \($0)"
        }
        lines.append("")
      }
    }
    let cases = self.files.reduce(0) { $0 + $1.cases.count }
    lines.append("\(cases) cases of \(self.files.count) policies: \(self.failures == 0 ? "all pass" : "\(self.failures) failed")")
    return lines.joined(separator: "\n")
  }

  public func json() throws -> String { try JSONText.of(self.files) }
}

extension PolicyTestReport.Case {
  fileprivate init(_ outcome: PolicyTestRun.Outcome) {
    let test = outcome.test
    self.line = test.place.line
    self.user = test.user
    self.request = test.request
    self.expect = test.expectation.rawValue
    switch outcome.decision {
    case .allow(rule: let rule): (self.result, self.rule) = ("allow", rule)
    case .deny(rule: let rule, message: _): (self.result, self.rule) = ("deny", rule)
    case nil: (self.result, self.rule) = ("refuse", nil)
    }
    self.passed = outcome.failure == nil
    self.failure = outcome.failure
    self.explanation = outcome.explanation
  }

  fileprivate var expected: String { self.expect == "allow" ? "allowed" : "denied" }
}
