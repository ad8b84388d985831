/// Requests that a rule is about.
public struct Selector: Sendable, Hashable {
  public enum Subject: Sendable, Hashable {
    /// Patterns of operationIds.
    case operations([NamePattern])
    case resources([ResourcePattern])
    case paths([PathPattern])
    /// Names of schemas in the OpenAPI document: every request whose answer can hold such an object.
    case returns([String])
    /// Asking to act as one of these users, or with one of these groups.
    case impersonates(users: NameSet?, groups: NameSet?)
  }

  public let subject: Subject
  /// For `resources`.
  public let verbs: VerbSet
  /// For `operations` and `paths`.
  public let methods: MethodSet
  public let namespaces: NameSet?
  public let names: NameSet?

  public init(
    _ subject: Subject, verbs: VerbSet = .all, methods: MethodSet = .all, namespaces: NameSet? = nil, names: NameSet? = nil
  ) {
    self.subject = subject
    self.verbs = verbs
    self.methods = methods
    self.namespaces = namespaces
    self.names = names
  }

  /// Whether the selector means nothing without an OpenAPI document.
  public var needsCatalogue: Bool {
    switch self.subject {
    case .operations, .returns: true
    case .resources, .paths, .impersonates: false
    }
  }

  /// Whether the selector can mean a request at an upstream of which only method and path are known.
  public var appliesToGenericUpstreams: Bool {
    switch self.subject {
    case .operations, .paths, .impersonates: true
    case .resources, .returns: false
    }
  }
}

/// What becomes of the requests that a rule selects.
public enum Effect: String, Sendable, Hashable, CaseIterable {
  case deny, allow
}

extension Selector {
  /// Whether the namespace is one that the selector means.
  ///
  /// What a deny cannot see it must expect: a request without a namespace may be for any of them. An allow admits only
  /// what it sees.
  func meansNamespace(of question: PolicyQuestion, _ effect: Effect) -> Bool {
    guard let namespaces = self.namespaces else { return true }
    guard let namespace = question.namespace else { return effect == .deny }
    return namespaces.contains(namespace)
  }

  /// Whether the object's name is one that the selector means; see ``meansNamespace(of:_:)``.
  func meansName(of question: PolicyQuestion, _ effect: Effect) -> Bool {
    guard let names = self.names else { return true }
    guard let name = question.name else { return effect == .deny }
    if names.contains(name) { return true }
    guard effect == .deny, question.namesAProxiedObject else { return false }
    return name.utf8.split(separator: UInt8(ascii: ":")).contains { names.contains(String(Substring($0))) }
  }
}

extension Selector {
  /// Whether the request's verb is meant; see ``EffectiveVerbs``.
  func meansVerb(of question: PolicyQuestion, _ effect: Effect) -> Bool {
    guard case .resources = self.subject else { return true }
    guard let verbs = question.verbs else { return false }
    return effect == .deny ? !self.verbs.isDisjoint(with: verbs.any) : self.verbs.isSuperset(of: verbs.all)
  }

  func meansMethod(of question: PolicyQuestion, _ effect: Effect) -> Bool {
    effect == .deny ? self.methods.denies(question.method) : self.methods.allows(question.method)
  }

  /// Whether everything holds that narrows the selector, and the resource is one that its pattern means.
  ///
  /// - Parameter resource: which pattern; without meaning for a selector of something else
  func narrowingMeans(_ question: PolicyQuestion, _ effect: Effect, resource: Int) -> Bool {
    guard self.meansVerb(of: question, effect), self.meansMethod(of: question, effect), self.meansNamespace(of: question, effect),
      self.meansName(of: question, effect)
    else { return false }
    guard case .resources(let patterns) = self.subject else { return true }
    guard let info = question.info else { return false }
    return patterns[resource].matches(info)
  }

  /// Whether the request asks to act as somebody whom the selector means.
  func meansImpersonation(of question: PolicyQuestion) -> Bool {
    guard case .impersonates(let users, let groups) = self.subject, let requested = question.requested else { return false }
    return users?.contains(requested.user) == true || groups.map(requested.isMember) == true
  }
}
