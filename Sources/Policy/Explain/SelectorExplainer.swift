import SallyportWire

/// Says of a selector whether it means a request, and by what or why not.
struct SelectorExplainer {
  let matcher: PolicyMatcher
  let question: PolicyQuestion

  func finding(for selector: Selector, _ effect: Effect) -> Explanation.SelectorFinding {
    let (matches, reason) = self.judge(selector, effect)
    return .init(selector: selector.text, matches: matches, because: reason)
  }

  private func judge(_ selector: Selector, _ effect: Effect) -> (Bool, String) {
    guard self.matcher.reading == .kubernetes || selector.appliesToGenericUpstreams else {
      return (false, "at a generic upstream only paths and operations are known")
    }
    let (isMeant, subject) = self.judgeSubject(of: selector, effect)
    guard isMeant else { return (false, subject) }
    guard selector.meansVerb(of: self.question, effect) else { return (false, "\(subject), but \(self.verbReason(effect))") }
    guard selector.meansMethod(of: self.question, effect) else {
      return (false, "\(subject), but the method \(self.question.method) is not among its methods")
    }
    guard selector.meansNamespace(of: self.question, effect) else {
      let namespace = self.question.namespace.map { "the namespace \($0) is not among its namespaces" }
      return (false, "\(subject), but \(namespace ?? "the request names no namespace")")
    }
    guard selector.meansName(of: self.question, effect) else {
      let name = self.question.name.map { "the name \($0) is not among its names" }
      return (false, "\(subject), but \(name ?? "the request names no object")")
    }
    var assumed: [String] = []
    if selector.namespaces != nil, self.question.namespace == nil { assumed.append("namespace") }
    if selector.names != nil, self.question.name == nil { assumed.append("name") }
    return (
      true, assumed.isEmpty ? subject : "\(subject); the request names no \(assumed.joined(separator: " and no ")), so any may be meant"
    )
  }

  private func verbReason(_ effect: Effect) -> String {
    let verb = self.question.info.map { $0.verb.isEmpty ? "none" : $0.verb } ?? "none"
    guard effect == .allow, let verbs = self.question.verbs, verbs.all != VerbSet(word: verb) else {
      return "the verb \(verb) is not among its verbs"
    }
    return verbs.all == .all ? "a proxy needs all verbs" : "what opens a connection needs the verb create"
  }

  private func judgeSubject(of selector: Selector, _ effect: Effect) -> (Bool, String) {
    switch selector.subject {
    case .resources(let patterns):
      guard let info = self.question.resource else { return (false, "the request is for no resource") }
      guard let pattern = patterns.first(where: { $0.matches(info) }) else { return (false, "the resource is another") }
      return (true, "the resource is \(pattern.text)")
    case .paths(let patterns):
      let found = patterns.first { self.isPath($0, effect) }
      return found.map { (true, "the path is \($0.text)") } ?? (false, "the path is another")
    case .operations(let patterns): return self.judgeOperations(patterns, effect)
    case .returns(let schemas): return self.judgeReturns(schemas, effect)
    case .impersonates:
      guard let requested = self.question.requested else { return (false, "nobody else's identity is asked for") }
      guard selector.meansImpersonation(of: self.question) else { return (false, "acting as \(requested.user) is not meant") }
      return (true, "acting as \(requested.user) is asked for")
    }
  }

  private func isPath(_ pattern: PathPattern, _ effect: Effect) -> Bool {
    var draft = PathIndex.Draft(self.matcher.reading == .kubernetes ? .kubernetes : .unknown)
    _ = draft.insert(pattern, effect.spelling)
    return PathIndex(draft).withMatches(of: self.question.path) { paths in
      var isPath = false
      paths.forEach(effect.spelling) { _ in
        isPath = true
        return false
      }
      return isPath
    }
  }

  private func operations(_ effect: Effect) -> [Int32] {
    guard let index = self.matcher.operations else { return [] }
    return self.matcher.paths.withMatches(of: self.question.path) { paths in
      guard effect == .deny else { return index.operation(for: self.question, at: paths).map { [$0] } ?? [] }
      var found: [Int32] = []
      index.forEachPossible(for: self.question, at: paths) { found.append($0) }
      return found
    }
  }

  private func judgeOperations(_ patterns: [NamePattern], _ effect: Effect) -> (Bool, String) {
    guard let index = self.matcher.operations else { return (false, "there is no OpenAPI document") }
    let ids = self.operations(effect).map { index.catalogue.operations[Int($0)].id }
    guard !ids.isEmpty else { return (false, "the OpenAPI document knows no such operation") }
    guard let id = ids.first(where: { id in patterns.contains { $0.matches(id) } }) else { return (false, "the operation is \(ids[0])") }
    return (true, "the operation is \(id)")
  }

  private func judgeReturns(_ schemas: [String], _ effect: Effect) -> (Bool, String) {
    guard let catalogue = self.matcher.operations?.catalogue, let kinds = self.matcher.kinds else {
      return (false, "there is no OpenAPI document")
    }
    let answering = Set(self.operations(effect).map(Int.init))
    var handedOut: [Int32] = []
    if let info = self.question.resource { kinds.forEach(of: info) { handedOut.append($0) } }
    for schema in schemas {
      let wanted = ReturnedSchema(schema, catalogue, kinds)
      if handedOut.contains(where: wanted.kinds.contains) { return (true, "requests for this resource hand out \(schema)") }
      if !answering.isDisjoint(with: wanted.operations) { return (true, "the operation answers with \(schema)") }
    }
    return (false, "no answer to it holds one")
  }
}

extension Selector {
  /// The selector on one line, as a rule writes it.
  var text: String {
    var parts: [String] =
      switch self.subject {
      case .operations(let patterns): ["operations: \(patterns.map(\.text).joined(separator: ", "))"]
      case .resources(let patterns): ["resources: \(patterns.map(\.text).joined(separator: ", "))"]
      case .paths(let patterns): ["paths: \(patterns.map(\.text).joined(separator: ", "))"]
      case .returns(let schemas): ["returns: \(schemas.joined(separator: ", "))"]
      case .impersonates(let users, let groups):
        [
          "impersonates: "
            + [users.map { "users \($0.text)" }, groups.map { "groups \($0.text)" }].compactMap { $0 }.joined(separator: ", ")
        ]
      }
    if self.verbs != .all {
      parts.append("verbs: \(VerbSet.words.filter { self.verbs.contains($0.verb) }.map(\.word).joined(separator: ", "))")
    }
    if let methods = self.methods.methods { parts.append("methods: \(methods.map(\.description).joined(separator: ", "))") }
    if let namespaces = self.namespaces { parts.append("namespaces: \(namespaces.text)") }
    if let names = self.names { parts.append("names: \(names.text)") }
    return parts.joined(separator: "; ")
  }
}
