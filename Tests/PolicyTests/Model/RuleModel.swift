/// Rules as plain values that can be written as YAML for the engine, and judged here by going through all of them: the
/// semantics of `docs/POLICY.md`, sentence by sentence, without an index.
struct RuleModel {
  struct Selector {
    enum Subject {
      case operations([String]), resources([String]), paths([String]), returns([String])
      case impersonates(users: [String], groups: [String])
    }
    var subject: Subject
    var verbs: [String]?
    var methods: [String]?
    var namespaces: [String]?
    var names: [String]?
  }

  struct Condition {
    var users: [String]?
    var groups: [String]?
    var namespaces: [String]?
    var names: [String]?
    var authentication: [String]?
    /// Ranges that end on a byte: `10.` is 10.0.0.0/8.
    var addresses: [String]?
  }

  struct Rule {
    var name: String
    var denies: Bool
    var selectors: [Selector]
    var unless: Condition?
    var only: Condition?
  }

  struct Person {
    var user: String
    var groups: [String]
  }

  struct Request {
    var server: ServerModel
    var person: Person
    var requested: Person?
    var authentication: String?
    var address: String
  }

  struct Operation {
    var id: String
    var method: String
    var path: String
    var kind: String?
  }

  var rules: [Rule]
  var deniesByDefault: Bool
  var catalogue: [Operation]

  // MARK: - The decision

  /// The rule that denies, `unknown`, `default`, or `nil` for an allowed request.
  func denial(of request: Request) -> String? {
    for rule in self.rules where rule.denies {
      let people = [request.person] + (request.requested.map { [$0] } ?? [])
      for person in people where rule.selectors.contains(where: { self.selects($0, request, deny: true) }) {
        if self.speaks(rule, person, request) { return rule.name }
      }
      // Acting as somebody is the asker's own deed.
      if rule.selectors.contains(where: { self.selectsImpersonation($0, request) }), self.speaks(rule, request.person, request) {
        return rule.name
      }
    }
    if self.usesCatalogue, request.server.isResource, !self.isKnown(request.server) { return "unknown" }
    guard self.deniesByDefault else { return nil }
    let everybodyIsAllowed = ([request.person] + (request.requested.map { [$0] } ?? [])).allSatisfy { person in
      self.rules.contains { rule in
        !rule.denies && rule.selectors.contains { self.selects($0, request, deny: false) } && self.speaks(rule, person, request)
      }
    }
    return everybodyIsAllowed ? nil : "default"
  }

  private var usesCatalogue: Bool {
    self.rules.contains { rule in
      rule.selectors.contains { selector in
        switch selector.subject {
        case .operations, .returns: true
        default: false
        }
      }
    }
  }

  private func speaks(_ rule: Rule, _ person: Person, _ request: Request) -> Bool {
    if let only = rule.only, !self.holds(only, person, request) { return false }
    if let unless = rule.unless, self.holds(unless, person, request) { return false }
    return true
  }

  private func holds(_ condition: Condition, _ person: Person, _ request: Request) -> Bool {
    if condition.users != nil || condition.groups != nil {
      let isUser = condition.users.map { globs($0, match: person.user) } ?? false
      let isMember = condition.groups.map { groups in person.groups.contains { globs(groups, match: $0) } } ?? false
      if !isUser && !isMember { return false }
    }
    if let namespaces = condition.namespaces {
      if request.server.namespace.isEmpty || !globs(namespaces, match: request.server.namespace) { return false }
    }
    if let names = condition.names, request.server.name.isEmpty || !globs(names, match: request.server.name) { return false }
    if let methods = condition.authentication, request.authentication == nil || !methods.contains(request.authentication!) { return false }
    if let addresses = condition.addresses, !addresses.contains(where: { request.address.hasPrefix($0) }) { return false }
    return true
  }

  // MARK: - Selectors

  private func selects(_ selector: Selector, _ request: Request, deny: Bool) -> Bool {
    let server = request.server
    if let namespaces = selector.namespaces {
      if server.namespace.isEmpty {
        if !deny { return false }
      } else if !globs(namespaces, match: server.namespace) {
        return false
      }
    }
    if let names = selector.names {
      let isProxy = self.subresource(of: server) == "proxy"
      if server.name.isEmpty {
        if !deny { return false }
      } else if !globs(names, match: server.name)
        && !(deny && isProxy && server.name.split(separator: ":").contains { globs(names, match: String($0)) })
      {
        return false
      }
    }
    switch selector.subject {
    case .impersonates: return false
    case .resources(let patterns):
      return server.isResource && self.verb(selector.verbs, server, deny) && patterns.contains { self.resource($0, server) }
    case .paths(let templates):
      return self.method(selector.methods, server.method, deny) && templates.contains { self.path($0, server.segments, lenient: deny) }
    case .operations(let patterns):
      guard self.method(selector.methods, server.method, deny) else { return false }
      return self.operations(of: server, lenient: deny).contains { globs(patterns, match: $0.id) }
    case .returns(let kinds):
      guard server.isResource else { return false }
      return self.catalogue.contains { operation in
        guard let kind = operation.kind, kinds.contains(kind) else { return false }
        // The template, read like a request: what stands for an object is then named `{name}`.
        guard let described = ServerModel("GET", operation.path.replacing("{", with: "").replacing("}", with: "")) else { return false }
        return described.group == server.group && described.version == server.version && described.resource == server.resource
          && described.subresource == self.subresource(of: server)
      }
    }
  }

  private func selectsImpersonation(_ selector: Selector, _ request: Request) -> Bool {
    guard case .impersonates(let users, let groups) = selector.subject, let requested = request.requested else { return false }
    return globs(users, match: requested.user) || requested.groups.contains { globs(groups, match: $0) }
  }

  private func subresource(of server: ServerModel) -> String {
    server.verb == "proxy" && server.subresource.isEmpty ? "proxy" : server.subresource
  }

  private func verb(_ verbs: [String]?, _ server: ServerModel, _ deny: Bool) -> Bool {
    guard let verbs, !verbs.contains("*") else { return true }
    let subresource = self.subresource(of: server)
    if subresource == "proxy" { return deny }
    if ["exec", "attach", "portforward"].contains(subresource) || server.upgrades && !subresource.isEmpty && subresource != "log" {
      if deny { return verbs.contains(server.verb) || verbs.contains("create") }
      return verbs.contains("create") && (["get", "list", "watch"].contains(server.verb) || verbs.contains(server.verb))
    }
    return verbs.contains(server.verb)
  }

  private func method(_ methods: [String]?, _ method: String, _ deny: Bool) -> Bool {
    guard let methods else { return true }
    return methods.contains(method) || deny && method == "HEAD" && methods.contains("GET")
  }

  private func resource(_ pattern: String, _ server: ServerModel) -> Bool {
    if pattern == "*" { return true }
    let halves = pattern.split(separator: "/").map(String.init)
    let subresource = self.subresource(of: server)
    if halves.count == 2 {
      if subresource.isEmpty || !glob(halves[1], match: subresource) { return false }
    } else if !subresource.isEmpty {
      return false
    }
    let names = halves[0].split(separator: ".", maxSplits: 1).map(String.init)
    if names.count == 2, !glob(names[1] == "core" ? "" : names[1], match: server.group) { return false }
    return glob(names[0], match: server.resource)
  }

  // MARK: - Paths

  private func path(_ template: String, _ segments: [String], lenient: Bool) -> Bool {
    var wanted = template.split(separator: "/").map(String.init)
    let isOpen = wanted.last == "**"
    if isOpen { wanted.removeLast() }
    return self.variants(segments).contains { segments in
      guard isOpen ? segments.count >= wanted.count : segments.count == wanted.count else { return false }
      return zip(wanted, segments).allSatisfy { wanted, segment in
        wanted.hasPrefix("{") ? lenient || !segment.isEmpty : wanted == segment
      }
    }
  }

  /// The path as it is, and without a `namespaces` whose name is empty.
  private func variants(_ segments: [String]) -> [[String]] {
    guard let index = segments.indices.first(where: { segments[$0] == "namespaces" && $0 + 1 < segments.count && segments[$0 + 1] == "" })
    else { return [segments] }
    return [segments, Array(segments[..<index] + segments[(index + 2)...])]
  }

  private func isKnown(_ server: ServerModel) -> Bool { !self.operations(of: server, lenient: false).isEmpty }

  private func operations(of server: ServerModel, lenient: Bool) -> [Operation] {
    let found = self.catalogue.filter { operation in
      guard operation.method == server.method || lenient && server.method == "HEAD" && operation.method == "GET" else { return false }
      let template = operation.path.hasSuffix("/proxy/{path}") ? operation.path.replacing("{path}", with: "**") : operation.path
      return self.path(template, server.segments, lenient: lenient)
    }
    guard lenient else {
      // A request is one operation: one whose path ends where the request's does goes before one that is open at its end.
      let closed = found.filter { !$0.path.hasSuffix("/proxy/{path}") }
      return closed.isEmpty ? found : closed
    }
    guard server.verb == "watch" else { return found }
    // A watch is also the operation that lists or reads the same, and the other way round.
    let others = self.catalogue.filter { other in
      other.method == "GET"
        && found.contains { $0.method == "GET" && ($0.path == self.watching(other.path) || self.watching($0.path) == other.path) }
    }
    return found + others
  }

  private func watching(_ path: String) -> String? {
    for prefix in ["/api/v1/", "/apis/apps/v1/"] where path.hasPrefix(prefix) && !path.hasPrefix("\(prefix)watch/") {
      return "\(prefix)watch/\(path.dropFirst(prefix.count))"
    }
    return nil
  }

  // MARK: - Globs

  private func globs(_ patterns: [String], match text: String) -> Bool { patterns.contains { self.glob($0, match: text) } }

  private func glob(_ pattern: String, match text: String) -> Bool { Self.glob(Array(pattern.utf8), Array(text.utf8)) }

  private static func glob(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == UInt8(ascii: "*") {
      return (0...text.count).contains { self.glob(Array(pattern.dropFirst()), Array(text.dropFirst($0))) }
    }
    return text.first == first && self.glob(Array(pattern.dropFirst()), Array(text.dropFirst()))
  }
}

// MARK: - As YAML

extension RuleModel {
  var yaml: String {
    var text = "apiVersion: sallyport.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: p}\n"
    if self.deniesByDefault { text += "default: deny\n" }
    text += "rules:\n"
    for rule in self.rules {
      text += "- name: \(rule.name)\n  \(rule.denies ? "deny" : "allow"):\n"
      for selector in rule.selectors { text += "  - {\(self.written(selector))}\n" }
      if let unless = rule.unless { text += "  unless: {\(self.written(unless))}\n" }
      if let only = rule.only { text += "  only: {\(self.written(only))}\n" }
    }
    return text
  }

  private func list(_ items: [String]) -> String { "[" + items.map { "\"\($0)\"" }.joined(separator: ", ") + "]" }

  private func keys(_ keys: [(String, [String]?)]) -> String {
    keys.compactMap { key, items in items.map { "\(key): \(self.list($0))" } }.joined(separator: ", ")
  }

  private func written(_ selector: Selector) -> String {
    let subject =
      switch selector.subject {
      case .operations(let items): "operations: \(self.list(items))"
      case .resources(let items): "resources: \(self.list(items))"
      case .paths(let items): "paths: \(self.list(items))"
      case .returns(let items): "returns: \(self.list(items.map { "schema.\($0)" }))"
      case .impersonates(let users, let groups): "impersonates: {users: \(self.list(users)), groups: \(self.list(groups))}"
      }
    let rest = self.keys([
      ("verbs", selector.verbs), ("methods", selector.methods), ("namespaces", selector.namespaces), ("names", selector.names),
    ])
    return rest.isEmpty ? subject : "\(subject), \(rest)"
  }

  private func written(_ condition: Condition) -> String {
    self.keys([
      ("users", condition.users), ("groups", condition.groups), ("namespaces", condition.namespaces), ("names", condition.names),
      ("authentication", condition.authentication),
      ("clientCIDR", condition.addresses.map { $0.map { "\($0)0.0.0/8" } }),
    ])
  }
}
