public import SallyportCore
public import SallyportWire

/// A route's policies, compiled: immutable, shared by all requests, and asked without an allocation.
///
/// Deny wins. Without a matching deny the request is allowed, unless one of the policies denies by default: then some rule
/// must allow it. The order of rules and files has no meaning for what is decided; where several rules deny, the first in
/// order is the one that is named.
public final class PolicyMatcher: Sendable {
  /// A rule as it is asked. An object, so that to ask is not to copy it.
  final class CompiledRule: Sendable {
    let policy: String
    let rule: Rule
    /// `POLICY/RULE`, as the audit record has it.
    let id: String
    let message: String

    init(_ rule: Rule, of policy: String) {
      self.policy = policy
      self.rule = rule
      self.id = "\(policy)/\(rule.name)"
      self.message = rule.message ?? PolicyMatcher.defaultMessage
    }

    // At the caller's, the compiler would copy the rule first.
    @inline(never)
    func speaks(to asker: Asker, of question: PolicyQuestion) -> Bool { self.rule.speaks(to: asker, of: question) }
  }

  /// A selector as it is asked, an object for the same reason.
  private final class CompiledSelector: Sendable {
    private let selector: Selector

    init(_ selector: Selector) { self.selector = selector }

    // As above.
    @inline(never)
    func narrowingMeans(_ question: PolicyQuestion, _ effect: Effect, resource: Int) -> Bool {
      self.selector.narrowingMeans(question, effect, resource: resource)
    }

    func meansImpersonation(of question: PolicyQuestion) -> Bool { self.selector.meansImpersonation(of: question) }
  }

  let documents: [PolicyDocument]
  let reading: PathReading
  let rules: [CompiledRule]
  private let selectors: [CompiledSelector]
  let operations: OperationIndex?
  let kinds: KindIndex?
  let paths: PathIndex
  /// The decision on what the catalogue does not know; `nil` where no policy asks the catalogue.
  let unknownOperation: Decision?
  let deniesByDefault: Bool
  /// What selects nothing of the catalogue: most likely a slip.
  public let selectingNothing: [SelectsNothing]

  private let deny: ClauseFinder
  private let allow: ClauseFinder

  static let defaultMessage = "The policy of this gateway denies the request."
  static let notAllowedMessage = "No rule of this gateway's policy allows the request."
  static let unknownOperationMessage = "The policy of this gateway needs to know the operation, and its API description does not."

  /// Compiles policies.
  ///
  /// - Parameters:
  ///   - documents: the policies of a route, in the order in which their rules are named
  ///   - catalogue: the operations of the route's upstream; without one, `operations` and `returns` select nothing, and at an
  ///     API server every request for a resource is denied by the policies that use them
  ///   - reading: how the upstream reads paths; at a generic one, no selector sees a resource
  public init(_ documents: [PolicyDocument], catalogue: Catalogue?, reading: PathReading) {
    // The operations first: of several that fit a request, the one that it is must not depend on the rules.
    var paths = PathIndex.Draft(reading == .kubernetes ? .kubernetes : .unknown)
    let operations = catalogue.map { OperationIndex($0, reading, &paths) }
    let kinds = reading == .kubernetes ? catalogue.map(KindIndex.init) : nil
    var compiler = RuleCompiler(catalogue: catalogue, kinds: kinds, reading: reading, paths: paths)
    for document in documents { compiler.add(document) }
    self.documents = documents
    self.reading = reading
    self.operations = operations
    self.kinds = kinds
    self.paths = PathIndex(compiler.paths)
    self.rules = compiler.rules
    self.selectors = compiler.selectors.map(CompiledSelector.init)
    self.deny = ClauseFinder(compiler.deny)
    self.allow = ClauseFinder(compiler.allow)
    self.selectingNothing = compiler.selectingNothing
    self.deniesByDefault = documents.contains(where: \.deniesByDefault)
    self.unknownOperation =
      reading == .kubernetes
      ? documents.first(where: \.needsCatalogue).map {
        .deny(rule: "\($0.name)/\(PolicyDocument.unknownOperationRule)", message: Self.unknownOperationMessage)
      } : nil
  }

  // MARK: - Deciding

  /// The decision on a request.
  ///
  /// With an identity that is asked for (`kubectl --as`) both are judged by every rule, and a deny for either is one for the
  /// request; acting as somebody is itself judged for the asker alone.
  public func decide(_ question: PolicyQuestion) -> Decision {
    self.paths.withMatches(of: question.path) { self.decide(question, at: $0) }
  }

  private func decide(_ question: PolicyQuestion, at paths: borrowing PathMatches) -> Decision {
    var denial = self.firstDenial(of: question, for: question.asker, at: paths, .max)
    if let requested = question.requested {
      denial = self.firstDenial(of: question, for: requested, at: paths, denial)
      denial = self.firstDenialOfImpersonation(of: requested, question, denial)
    }
    if denial != .max {
      let rule = self.rules[Int(denial)]
      return .deny(rule: rule.id, message: rule.message)
    }
    if let unknownOperation = self.unknownOperation, self.isUnknown(question, at: paths) { return unknownOperation }
    guard self.deniesByDefault else { return .allow(rule: nil) }
    let admitting = self.firstAllow(of: question, for: question.asker, at: paths)
    guard admitting != .max else { return .deny(rule: nil, message: Self.notAllowedMessage) }
    if let requested = question.requested, self.firstAllow(of: question, for: requested, at: paths) == .max {
      return .deny(rule: nil, message: Self.notAllowedMessage)
    }
    return .allow(rule: self.rules[Int(admitting)].id)
  }

  /// Whether a request is for a resource, by an operation that the catalogue does not list.
  func isUnknown(_ question: PolicyQuestion) -> Bool {
    self.paths.withMatches(of: question.path) { self.isUnknown(question, at: $0) }
  }

  private func isUnknown(_ question: PolicyQuestion, at paths: borrowing PathMatches) -> Bool {
    question.resource != nil && self.operations?.operation(for: question, at: paths) == nil
  }

  /// The first rule that denies, if it comes before `best`; else `best`.
  private func firstDenial(
    of question: PolicyQuestion, for asker: Asker, at paths: borrowing PathMatches, _ best: Int32
  ) -> Int32 {
    var best = best
    self.deny.forEachCandidate(for: question, asker, at: paths, operations: self.operations, kinds: self.kinds) { number in
      let clause = self.deny.clause(number)
      guard clause.rule < best else { return false }
      if self.means(clause, question, .deny), self.rules[Int(clause.rule)].speaks(to: asker, of: question) { best = clause.rule }
      return true
    }
    return best
  }

  private func firstDenialOfImpersonation(of requested: Asker, _ question: PolicyQuestion, _ best: Int32) -> Int32 {
    var best = best
    self.deny.forEachImpersonation(of: requested) { number in
      let clause = self.deny.clause(number)
      guard clause.rule < best else { return false }
      if self.selectors[Int(clause.selector)].meansImpersonation(of: question),
        self.rules[Int(clause.rule)].speaks(to: question.asker, of: question)
      {
        best = clause.rule
      }
      return true
    }
    return best
  }

  private func firstAllow(of question: PolicyQuestion, for asker: Asker, at paths: borrowing PathMatches) -> Int32 {
    var best: Int32 = .max
    self.allow.forEachCandidate(for: question, asker, at: paths, operations: self.operations, kinds: self.kinds) { number in
      let clause = self.allow.clause(number)
      guard clause.rule < best else { return false }
      if self.means(clause, question, .allow), self.rules[Int(clause.rule)].speaks(to: asker, of: question) { best = clause.rule }
      return true
    }
    return best
  }

  /// Whether a clause that the index found means the request in everything that the index does not look at.
  private func means(_ clause: Clause, _ question: PolicyQuestion, _ effect: Effect) -> Bool {
    self.selectors[Int(clause.selector)].narrowingMeans(question, effect, resource: Int(clause.resource))
  }
}
