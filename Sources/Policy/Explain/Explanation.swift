import SallyportCore
import SallyportStrictYAML
import SallyportWire

/// Why a request is allowed or denied: how it reads, what each rule's selectors say to it, and whom each rule speaks to.
///
/// The decision is the engine's own. Everything beside it is found by asking the same predicates one by one, without the
/// indices, so that a reviewer sees what did not match and why.
public struct Explanation: Sendable, Codable, Hashable {
  public enum Verdict: String, Sendable, Codable {
    case allow, deny
    /// The request cannot be read one way only, and is answered 400 before any rule is asked.
    case refuse
  }

  /// How the request reads.
  public struct Reading: Sendable, Codable, Hashable {
    public var method: String
    public var path: String
    /// The Kubernetes verb, or the method in lower case; `nil` at a generic upstream.
    public var verb: String?
    /// `secrets`, `deployments.apps`, `pods/exec`; `nil` for what is no request for a resource.
    public var resource: String?
    public var apiVersion: String?
    public var namespace: String?
    public var name: String?
    /// The operation in the OpenAPI document; `nil` where there is no document or it knows none.
    public var operation: String?
  }

  public struct SelectorFinding: Sendable, Codable, Hashable {
    /// The selector as a rule writes it, on one line.
    public var selector: String
    public var matches: Bool
    /// What matches, or the first thing that does not.
    public var because: String
  }

  public struct PersonFinding: Sendable, Codable, Hashable {
    public var user: String
    public var groups: [String]
    /// Whether this is whom the user asks to act as.
    public var isRequested: Bool
    /// Whether the rule speaks to them, by its `only` and `unless`.
    public var isMeant: Bool
    public var because: String
  }

  public struct RuleFinding: Sendable, Codable, Hashable {
    /// `POLICY/RULE`
    public var rule: String
    /// Where the rule stands: `policies/secrets.yaml:31`.
    public var place: String
    public var effect: String
    /// Whether the rule has its effect on this request: a selector matches, and it speaks to somebody in whose name it is
    /// made; for an allow, to everybody.
    public var applies: Bool
    public var selectors: [SelectorFinding]
    public var people: [PersonFinding]
  }

  public var verdict: Verdict
  /// The rule that decided; `nil` where none did.
  public var rule: String?
  /// Why it is allowed or denied where no rule decided: the end of a sentence that begins with "because".
  public var because: String?
  /// What a denied client reads, or why the request cannot be read.
  public var message: String?
  public var reading: Reading?
  public var deniesByDefault: Bool
  /// Whether the request is for a resource that the OpenAPI document does not know, while a policy depends on it.
  public var isUnknownOperation: Bool
  public var rules: [RuleFinding]
}

extension PolicyMatcher {
  /// Explains the decision on a request.
  ///
  /// - Parameter impersonation: what the route makes of a request to act as somebody else, before any rule is asked
  public func explain(_ request: WrittenRequest, impersonation: AccessPolicy.Impersonation = .allow) -> Explanation {
    do throws(MalformedMessage) {
      var explanation = self.explain(try request.question(at: self.reading))
      if impersonation == .refuse, request.impersonates != nil {
        explanation.verdict = .deny
        explanation.rule = nil
        explanation.because = "the route lets nobody act as somebody else"
        explanation.message = AccessPolicy.impersonationRefusedMessage
      }
      return explanation
    } catch {
      return Explanation(
        verdict: .refuse, rule: nil, because: "the request cannot be read one way only", message: error.reason, reading: nil,
        deniesByDefault: self.deniesByDefault, isUnknownOperation: false, rules: [])
    }
  }

  func explain(_ question: PolicyQuestion) -> Explanation {
    let verdict: Explanation.Verdict
    let deciding: String?
    let because: String?
    var message: String?
    switch self.decide(question) {
    case .allow(let rule):
      (verdict, deciding) = (.allow, rule)
      because = rule == nil ? "no rule denies it" : nil
    case .deny(let rule, let text):
      (verdict, deciding) = (.deny, rule)
      because = rule == nil ? "no rule allows it" : nil
      message = text
    }
    let selectors = SelectorExplainer(matcher: self, question: question)
    return Explanation(
      verdict: verdict, rule: deciding, because: because, message: message, reading: self.reading(of: question),
      deniesByDefault: self.deniesByDefault, isUnknownOperation: self.unknownOperation != nil && self.isUnknown(question),
      rules: self.rules.map { self.finding($0, question, selectors) })
  }

  private func reading(of question: PolicyQuestion) -> Explanation.Reading {
    var reading = Explanation.Reading(method: question.method.description, path: question.path)
    reading.operation = self.operations.flatMap { index in
      let operation = self.paths.withMatches(of: question.path) { index.operation(for: question, at: $0) }
      return operation.map { index.catalogue.operations[Int($0)].id }
    }
    guard let info = question.info else { return reading }
    reading.verb = info.verb.isEmpty ? "none" : info.verb
    guard info.isResourceRequest else { return reading }
    let subresource = info.effectiveSubresource
    reading.resource = info.resource + (info.apiGroup.isEmpty ? "" : ".\(info.apiGroup)") + (subresource.isEmpty ? "" : "/\(subresource)")
    reading.apiVersion = info.apiVersion
    reading.namespace = question.namespace
    reading.name = question.name
    return reading
  }

  private func finding(_ compiled: CompiledRule, _ question: PolicyQuestion, _ explainer: SelectorExplainer) -> Explanation.RuleFinding {
    let rule = compiled.rule
    let selectors = rule.selectors.map { explainer.finding(for: $0.selector, rule.effect) }
    let matching = zip(rule.selectors, selectors).filter(\.1.matches).map(\.0.selector)
    let people = [(question.asker, false)] + (question.requested.map { [($0, true)] } ?? [])
    let findings = people.map { asker, isRequested in self.finding(rule, asker, isRequested: isRequested, question) }
    // Acting as somebody is judged for the asker alone.
    let isOfImpersonationOnly = matching.allSatisfy { if case .impersonates = $0.subject { true } else { false } }
    let judged = isOfImpersonationOnly ? findings.filter { !$0.isRequested } : findings
    let speaks = rule.effect == .deny ? judged.contains(where: \.isMeant) : judged.allSatisfy(\.isMeant)
    return .init(
      rule: compiled.id, place: "\(rule.place.file):\(rule.place.line)", effect: rule.effect.rawValue, applies: !matching.isEmpty && speaks,
      selectors: selectors, people: findings)
  }

  private func finding(_ rule: Rule, _ asker: Asker, isRequested: Bool, _ question: PolicyQuestion) -> Explanation.PersonFinding {
    var reasons: [String] = []
    var isMeant = true
    if let only = rule.only {
      let missing = only.missing(for: asker, of: question)
      isMeant = missing.isEmpty
      reasons.append(missing.isEmpty ? "all of `only` holds" : "of `only`, \(missing.joined(separator: " and "))")
    }
    if let unless = rule.unless {
      let missing = unless.missing(for: asker, of: question)
      if missing.isEmpty { isMeant = false }
      reasons.append(missing.isEmpty ? "all of `unless` holds" : "of `unless`, \(missing.joined(separator: " and "))")
    }
    return .init(
      user: asker.user, groups: asker.groups, isRequested: isRequested, isMeant: isMeant,
      because: reasons.isEmpty ? "the rule is for everybody" : reasons.joined(separator: "; "))
  }
}

extension Condition {
  /// What of the condition does not hold, in words.
  func missing(for asker: Asker, of question: PolicyQuestion) -> [String] {
    Part.allCases.filter { self.holds($0, for: asker, of: question) == false }.map { part in
      switch part {
      case .identity:
        switch (self.users, self.groups) {
        case (.some(let users), .some(let groups)): "the user is none of \(users.text) and in none of the groups \(groups.text)"
        case (.some(let users), .none): "the user is none of \(users.text)"
        default: "the user is in none of the groups \(self.groups?.text ?? "")"
        }
      case .namespaces:
        question.namespace == nil ? "the request names no namespace" : "the namespace is none of \(self.namespaces?.text ?? "")"
      case .names: question.name == nil ? "the request names no object" : "the name is none of \(self.names?.text ?? "")"
      case .authentication:
        "the user did not sign in by \((self.authentication ?? []).map(\.rawValue).joined(separator: ", "))"
      case .clientCIDR:
        "the client's address is in none of \((self.clientCIDR ?? []).map(\.text).joined(separator: ", "))"
      }
    }
  }
}

extension NameSet {
  var text: String { self.patterns.map(\.text).joined(separator: ", ") }
}
