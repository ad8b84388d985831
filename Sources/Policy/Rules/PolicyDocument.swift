public import SallyportCore
public import SallyportStrictYAML

/// One policy as its file says it, of the kind `AccessPolicy`.
public struct PolicyDocument: Sendable {
  public let name: String
  public let rules: [Rule]
  public let tests: [PolicyTest]
  /// Whether a route with this policy allows only what some rule allows.
  public let deniesByDefault: Bool
  /// Where `metadata.name` stands.
  public let place: FilePlace
  /// What can be used as it is, and is hardly meant so.
  public let warnings: [FileFault]

  /// Whether some selector means nothing without an OpenAPI document.
  public var needsCatalogue: Bool { self.rules.contains { $0.selectors.contains { $0.selector.needsCatalogue } } }
}

/// One rule: what it selects, whom it is for, and what becomes of it.
public struct Rule: Sendable {
  public let name: String
  public let effect: Effect
  /// A request is selected when one of them selects it.
  public let selectors: [PlacedSelector]
  /// The rule says nothing to those who fulfil it.
  public let unless: Condition?
  /// The rule says something to those alone who fulfil it.
  public let only: Condition?
  /// What a denied client reads.
  public let message: String?
  public let place: FilePlace

  public struct PlacedSelector: Sendable {
    public let selector: Selector
    public let place: FilePlace
    /// Where each item of the selector's list stands.
    public let items: [FilePlace]
  }

  /// Whether the rule speaks to somebody, given that it selects the request.
  func speaks(to asker: Asker, of question: PolicyQuestion) -> Bool {
    self.only?.holds(for: asker, of: question) != false && self.unless?.holds(for: asker, of: question) != true
  }
}

/// A case that a policy file carries to show what it does.
public struct PolicyTest: Sendable {
  public enum Expectation: String, Sendable, CaseIterable {
    case allow, deny
  }

  public enum UpstreamKind: String, Sendable, CaseIterable {
    case kubernetes, generic
  }

  public let user: String
  public let groups: [String]
  /// `METHOD TARGET`, as a client would send it.
  public let request: String
  public let expectation: Expectation
  /// The rule that must decide; `nil` for any.
  public let rule: String?
  public let impersonates: RequestedImpersonation?
  public let authentication: AuthenticationMethod?
  public let clientAddress: String
  /// Whether the client asks to go on in another protocol.
  public let upgrades: Bool
  public let upstream: UpstreamKind
  public let place: FilePlace
}
