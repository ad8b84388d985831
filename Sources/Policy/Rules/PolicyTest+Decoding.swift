import SallyportCore
import SallyportStrictYAML

extension PolicyTest {
  /// - Parameters:
  ///   - policy: the name of the policy whose file this is
  ///   - rules: the names of its rules
  init?(_ yaml: YAMLCursor, policy: String, rules: Set<String>) {
    let test: Self? = yaml.mapping { keys in
      let user = keys.required("user")?.text()
      let groups = keys.optional("groups")?.list { $0.text() } ?? []
      let request = keys.required("request")?.parsed(Self.request)
      let expectation = keys.required("expect")?.choice(of: Expectation.self)
      let rule = keys.optional("rule").flatMap { yaml in yaml.text().flatMap { Self.rule($0, policy, rules, yaml) } }
      let impersonates = keys.optional("as").flatMap(Self.impersonation)
      let authentication = keys.optional("authentication")?.choice(of: AuthenticationMethod.self)
      let clientAddress = keys.optional("clientAddress")?.parsed { text throws(ValueFault) in
        guard NetworkAddress(text) != nil else { throw ValueFault("is not an address", "write it as in 192.0.2.7 or 2001:db8::1") }
        return text
      }
      let upgrades = keys.optional("upgrade")?.boolean() ?? false
      let upstream = keys.optional("upstream")?.choice(of: UpstreamKind.self) ?? .kubernetes
      guard let user, let request, let expectation else { return nil }
      return Self(
        user: user, groups: groups, request: request, expectation: expectation, rule: rule, impersonates: impersonates,
        authentication: authentication, clientAddress: clientAddress ?? "", upgrades: upgrades, upstream: upstream, place: yaml.place)
    }
    guard let test else { return nil }
    self = test
  }

  private static func request(_ text: String) throws(ValueFault) -> String {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 2, !words[0].isEmpty, !words[1].isEmpty else {
      throw ValueFault("is not a request", "write a method and a target, as in GET /api/v1/namespaces/dev/pods")
    }
    return text
  }

  private static func rule(_ name: String, _ policy: String, _ rules: Set<String>, _ yaml: YAMLCursor) -> String? {
    if rules.contains(name) || name == PolicyDocument.unknownOperationRule { return "\(policy)/\(name)" }
    yaml.fault("names no rule of this file", NearestName.of(name, among: rules).map { "did you mean `\($0)`?" } ?? "name one of its rules")
    return nil
  }

  private static func impersonation(_ yaml: YAMLCursor) -> RequestedImpersonation? {
    yaml.mapping { keys in
      let user = keys.required("user")?.text()
      let groups = keys.optional("groups")?.list { $0.text() } ?? []
      return user.map { RequestedImpersonation(user: $0, groups: groups) }
    }
  }
}
