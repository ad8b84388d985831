import Foundation
import SallyportCore
import SallyportPolicy
import SallyportWire
import Testing

/// The engine against the plain model, over random rules and mutated requests from a fixed seed.
@Suite struct ModelTests {
  /// 20,000, and a million where the environment has `SALLYPORT_NIGHTLY=1`.
  static let cases = ProcessInfo.processInfo.environment["SALLYPORT_NIGHTLY"] == "1" ? 1_000_000 : 20_000

  static let catalogue = Catalogue(
    operations: RandomCases.catalogue.map { operation in
      Operation(
        id: operation.id, method: Method(operation.method), path: operation.path,
        kind: operation.kind.map { GroupVersionKind(group: "", version: "v1", kind: $0) },
        isOpenEnded: operation.path.hasSuffix("/{path}"))
    },
    kindsBySchema: Dictionary(
      RandomCases.catalogue.compactMap(\.kind).map { ("schema.\($0)", GroupVersionKind(group: "", version: "v1", kind: $0)) },
      uniquingKeysWith: { first, _ in first }))

  @Test func noDecisionDiffersFromTheModels() throws {
    var cases = RandomCases(seed: 0x5A11_9042)
    var judged = 0
    var counts: [String: Int] = [:]
    while judged < Self.cases {
      let model = cases.rules()
      let document = try PolicyDocument.load(yaml: model.yaml, fileName: "model.yaml")
      let matcher = PolicyMatcher([document], catalogue: Self.catalogue, reading: .kubernetes)
      for _ in 0..<50 {
        judged += 1
        let method = cases.method()
        let target = cases.target()
        let person = cases.person()
        let requested = cases.chance(20) ? cases.person() : nil
        let authentication = cases.one([AuthenticationMethod.clientCertificate, .passwordFile, nil])
        let address = cases.one(["10.1.2.3", "192.9.9.9", "172.16.0.1", ""])
        let written = WrittenRequest(
          method: method, target: target, user: person.user, groups: person.groups,
          impersonates: requested.map { RequestedImpersonation(user: $0.user, groups: $0.groups) }, authentication: authentication,
          clientAddress: address, upgrades: cases.chance(10))
        guard let question = try? written.question(at: .kubernetes), var server = ServerModel(method, target) else {
          counts["refused", default: 0] += 1
          continue
        }
        server.upgrades = written.upgrades
        func known(_ person: RuleModel.Person) -> RuleModel.Person {
          .init(user: person.user, groups: person.groups + ["system:authenticated"])
        }
        let expected = model.denial(
          of: .init(
            server: server, person: known(person), requested: requested.map(known), authentication: authentication?.rawValue,
            address: address))
        let decision = Self.summary(matcher.decide(question))
        counts[expected == nil ? "allowed" : expected!.hasPrefix("r") ? "denied" : expected!, default: 0] += 1
        if decision == expected {
          if judged % 10 == 0 { Self.checkExplanation(matcher.explain(written), decision) }
          continue
        }
        Issue.record(
          """
          divergence: the engine says \(decision ?? "allow"), the model \(expected ?? "allow")
          \(method) \(target) by \(person) as \(String(describing: requested)) \(authentication?.rawValue ?? "-") \(address)
          \(model.yaml)
          """)
        return
      }
    }
    print("model: \(counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))")
    // The cases must be of every sort for the comparison to mean anything.
    for sort in ["allowed", "denied", "default", "unknown"] { #expect(counts[sort, default: 0] > Self.cases / 100, "\(sort)") }
    #expect(counts["refused", default: 0] < judged / 4)
  }

  /// What an explanation says of the rules must add up to the decision.
  private static func checkExplanation(_ explanation: Explanation, _ decision: String?) {
    let denying = explanation.rules.first { $0.effect == "deny" && $0.applies }?.rule
    let expected = decision.flatMap { $0.hasPrefix("r") ? "p/\($0)" : nil }
    #expect(denying == expected, "\(explanation.text)")
    if decision == "unknown" { #expect(explanation.isUnknownOperation) }
    if decision == nil, explanation.deniesByDefault {
      #expect(explanation.rules.contains { $0.effect == "allow" && $0.people[0].isMeant && $0.selectors.contains(where: \.matches) })
    }
  }

  static func summary(_ decision: Decision) -> String? {
    switch decision {
    case .allow: nil
    case .deny(rule: nil, _): "default"
    case .deny(rule: "p/unknown-operation"?, _): "unknown"
    case .deny(let rule?, _): String(rule.dropFirst("p/".count))
    }
  }
}
