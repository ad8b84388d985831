public import SallyportCore
import SallyportWire

/// The cases of a policy file, tried on that policy alone.
public struct PolicyTestRun: Sendable {
  public struct Outcome: Sendable {
    public let test: PolicyTest
    /// `nil` where the gateway refuses the request before any rule: it cannot be read one way only.
    public let decision: Decision?
    /// Why the case failed, as a sentence; `nil` for one that passed.
    public let failure: String?
    /// How the decision came about; for a case that failed.
    public let explanation: Explanation?
  }

  public let policy: String
  public let outcomes: [Outcome]
  /// What the rules name and the catalogue does not have, at the kinds of upstream that the cases are about.
  public let selectingNothing: [SelectsNothing]

  public var failures: [Outcome] { self.outcomes.filter { $0.failure != nil } }

  /// Tries every case.
  ///
  /// - Parameter catalogue: the operations that `operations` and `returns` are about; a policy with such selectors denies
  ///   every request for a resource without one
  public init(_ document: PolicyDocument, catalogue: Catalogue?) {
    let matchers = (
      kubernetes: PolicyMatcher([document], catalogue: catalogue, reading: .kubernetes),
      generic: PolicyMatcher([document], catalogue: catalogue, reading: .generic)
    )
    self.policy = document.name
    let kinds = Set(document.tests.map(\.upstream))
    self.selectingNothing =
      (kinds.contains(.generic) && !kinds.contains(.kubernetes) ? matchers.generic : matchers.kubernetes).selectingNothing
    self.outcomes = document.tests.map { test in
      let reading: PathReading = test.upstream == .kubernetes ? .kubernetes : .generic
      return Self.outcome(of: test, reading, reading == .kubernetes ? matchers.kubernetes : matchers.generic)
    }
  }

  private static func outcome(of test: PolicyTest, _ reading: PathReading, _ matcher: PolicyMatcher) -> Outcome {
    let request = WrittenRequest(test)
    let decision: Decision?
    let failure: String?
    do throws(MalformedMessage) {
      let made = matcher.decide(try request.question(at: reading))
      decision = made
      failure = self.failure(of: test, made)
    } catch {
      // What is refused as unreadable reaches no upstream, and that is all that a deny is expected to do.
      let isExpected = test.expectation == .deny && test.rule == nil
      decision = nil
      failure = isExpected ? nil : "the gateway answers 400: \(error.reason)"
    }
    return Outcome(test: test, decision: decision, failure: failure, explanation: failure == nil ? nil : matcher.explain(request))
  }

  private static func failure(of test: PolicyTest, _ decision: Decision) -> String? {
    switch (decision, test.expectation) {
    case (.allow(let rule), .allow), (.deny(let rule, _), .deny):
      guard let expected = test.rule, rule != expected else { return nil }
      return "\(rule.map { "the rule \($0)" } ?? "no rule") decides, where \(expected) is expected to"
    case (.allow(let rule), .deny): return "it is allowed\(rule.map { " by \($0)" } ?? "")"
    case (.deny(let rule, _), .allow): return "it is denied by \(rule ?? "default")"
    }
  }
}
