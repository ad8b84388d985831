import SallyportCore
import SallyportStrictYAML
import SallyportWire

extension Rule {
  init?(_ yaml: YAMLCursor) {
    let rule: Self? = yaml.mapping { keys in
      let name = keys.required("name")?.policyName()
      let (effect, selectors) =
        keys.exactlyOne(of: [
          "deny": { yaml in Self.selectors(yaml, .deny) },
          "allow": { yaml in Self.selectors(yaml, .allow) },
        ]) ?? (Effect.deny, nil)
      let unless = keys.optional("unless").flatMap(Condition.init)
      let only = keys.optional("only").flatMap(Condition.init)
      let message = keys.optional("message").flatMap { yaml -> String? in
        if effect == .allow { yaml.fault("stands in a rule that allows", "remove it; only who is denied reads a message") }
        return Self.message(yaml)
      }
      guard let name, let selectors else { return nil }
      return Self(name: name, effect: effect, selectors: selectors, unless: unless, only: only, message: message, place: yaml.place)
    }
    guard let rule else { return nil }
    self = rule
  }

  private static func selectors(_ yaml: YAMLCursor, _ effect: Effect) -> (Effect, [PlacedSelector]?)? {
    (effect, yaml.list(atLeast: 1) { PlacedSelector($0, effect) })
  }

  /// One line that a terminal may show.
  private static func message(_ yaml: YAMLCursor) -> String? {
    guard let text = yaml.text() else { return nil }
    guard text.utf8.count <= 500, text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
      yaml.fault("is longer than 500 bytes or has a control character", "write one plain line")
      return nil
    }
    return text
  }

  /// What is well-formed and hardly meant.
  func warnings(_ yaml: YAMLCursor) -> [FileFault] {
    guard self.effect == .deny, let only = self.only else { return [] }
    return [("namespaces", only.namespaces), ("names", only.names)].compactMap { key, names in
      guard names != nil else { return nil }
      return FileFault(
        .warning, at: yaml["only"][key].place, "lets requests pass that name none, such as a list of all",
        "write `\(key)` into the selectors, where such requests are meant too")
    }
  }
}

extension Rule.PlacedSelector {
  init?(_ yaml: YAMLCursor, _ effect: Effect) {
    let selector: Selector? = yaml.mapping { keys in
      let subject: Selector.Subject? = keys.exactlyOne(of: [
        "operations": { yaml in yaml.list(atLeast: 1) { $0.text().map(NamePattern.init) }.map { .operations($0) } },
        "resources": { yaml in yaml.list(atLeast: 1) { $0.parsed(ResourcePattern.init(parsing:)) }.map { .resources($0) } },
        "paths": { yaml in yaml.list(atLeast: 1) { $0.parsed(PathPattern.init(parsing:)) }.map { .paths($0) } },
        "returns": { yaml in yaml.list(atLeast: 1) { $0.text() }.map { .returns($0) } },
        "impersonates": { yaml in Self.impersonates(yaml, effect) },
      ])
      let verbs = keys.optional("verbs").flatMap(Self.verbs) ?? .all
      let methods = keys.optional("methods").flatMap(Self.methods) ?? .all
      let namespaces = keys.optional("namespaces")?.nameSet()
      let names = keys.optional("names")?.nameSet()
      return subject.map { Selector($0, verbs: verbs, methods: methods, namespaces: namespaces, names: names) }
    }
    guard let selector else { return nil }
    Self.refuseKeysWithoutEffect(in: selector.subject, yaml)
    self.init(selector: selector, place: yaml.place, items: Self.items(yaml))
  }

  private static let subjects = ["operations", "resources", "paths", "returns", "impersonates"]

  private static func items(_ yaml: YAMLCursor) -> [FilePlace] {
    guard let list = self.subjects.map({ yaml[$0] }).first(where: { $0.itemCount != nil }) else { return [] }
    return (0..<(list.itemCount ?? 0)).map { list[$0].place }
  }

  /// A key that narrows nothing would look like a narrower rule than it is.
  private static func refuseKeysWithoutEffect(in subject: Selector.Subject, _ yaml: YAMLCursor) {
    let (noun, without): (String, [String]) =
      switch subject {
      case .resources: ("resources", ["methods"])
      case .operations: ("operations", ["verbs"])
      case .paths: ("paths", ["verbs"])
      case .returns: ("returns", ["verbs", "methods"])
      case .impersonates: ("impersonates", ["verbs", "methods", "namespaces", "names"])
      }
    for key in without where yaml[key].place != yaml.place {
      yaml[key].fault("has no effect beside `\(noun)`", "remove it")
    }
  }

  private static func impersonates(_ yaml: YAMLCursor, _ effect: Effect) -> Selector.Subject? {
    if effect == .allow {
      yaml.fault("stands in an allow", "remove it; both identities need an allow for what they do, and a deny forbids acting as somebody")
    }
    return yaml.mapping { keys in
      let users = keys.optional("users")?.nameSet()
      let groups = keys.optional("groups")?.nameSet()
      guard users != nil || groups != nil else {
        if yaml["users"].place == yaml.place, yaml["groups"].place == yaml.place {
          keys.fault("has neither users nor groups", "add one; `users: [\"*\"]` is everybody")
        }
        return nil
      }
      return .impersonates(users: users, groups: groups)
    }
  }

  private static func verbs(_ yaml: YAMLCursor) -> VerbSet? {
    let known = VerbSet.words.map(\.word)
    let sets = yaml.list(atLeast: 1) { item -> VerbSet? in
      item.parsed { text throws(ValueFault) in
        if text == "*" { return VerbSet.all }
        if let verb = VerbSet.words.first(where: { $0.word == text })?.verb { return verb }
        let remedy =
          NearestName.of(text, among: known).map { "did you mean `\($0)`?" } ?? "write one of \(known.joined(separator: ", ")) or \"*\""
        throw ValueFault("is not a verb of Kubernetes", remedy)
      }
    }
    return sets?.reduce(into: VerbSet()) { $0.formUnion($1) }
  }

  private static func methods(_ yaml: YAMLCursor) -> MethodSet? {
    let methods = yaml.list(atLeast: 1) { item -> Method? in
      item.parsed { text throws(ValueFault) in
        guard MethodSet.words.contains(text) else {
          throw ValueFault("is not a method", "write \(MethodSet.words.joined(separator: " or ")), in capitals")
        }
        return Method(text)
      }
    }
    return methods.map(MethodSet.init)
  }
}

extension Condition {
  init?(_ yaml: YAMLCursor) {
    let condition: Self? = yaml.mapping { keys in
      let present = ["users", "groups", "namespaces", "names", "authentication", "clientCIDR"].filter { yaml[$0].place != yaml.place }
      let condition = Self(
        users: keys.optional("users")?.nameSet(), groups: keys.optional("groups")?.nameSet(),
        namespaces: keys.optional("namespaces")?.nameSet(), names: keys.optional("names")?.nameSet(),
        authentication: keys.optional("authentication")?.list(atLeast: 1) { $0.choice(of: AuthenticationMethod.self) },
        clientCIDR: keys.optional("clientCIDR")?.list(atLeast: 1) { $0.parsed(NetworkRange.init(parsing:)) })
      if present.isEmpty {
        keys.fault("has none of users, groups, namespaces, names, authentication, clientCIDR", "add one, or remove the key")
        return nil
      }
      return condition
    }
    guard let condition else { return nil }
    self = condition
  }
}
