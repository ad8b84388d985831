public import ArgumentParser
import SallyportCommands
public import SallyportCore
public import SallyportPolicy
import SallyportWire

struct PolicyExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say what the gateway would decide about a request, and why.",
    discussion: """
      Exit status 0: allowed. 3: denied, or refused because the request cannot be read one way only. 1: a fault in the files.

      The rules are those of a route (--config, --route) or of policy files (--policy). The decision is that of the rules: whether the
      user exists and what the API server's own RBAC says is not asked.
      """)

  @Option(help: "The user who makes the request.")
  var user: String

  @Option(name: .customLong("groups"), help: "The user's groups, with commas between them; repeat for more.")
  var groupLists: [String] = []

  @Option(name: .customLong("group"), help: "A group of the user, taken as it is, commas and all; repeat for more.")
  var singleGroups: [String] = []

  @Option(name: .customLong("as"), help: "Whom the user asks to act as, as with kubectl.")
  var requestedUser: String?

  @Option(name: .customLong("as-group"), help: "A group to act with, as with kubectl; repeat for more.")
  var requestedGroups: [String] = []

  @Option(help: "How the user signed in; needed only where a rule asks.")
  var authentication: AuthenticationMethod?

  @Option(help: "The address the user comes from; needed only where a rule asks.")
  var clientAddress = ""

  @Flag(help: "The client asks to go on in another protocol, WebSocket or SPDY.")
  var upgrade = false

  @Option(help: "The gateway's configuration.", completion: .file())
  var config: String?

  @Option(help: "The route of the configuration, where it has several.")
  var route: String?

  @Option(name: .customLong("policy"), help: "A policy file, in place of a configuration; repeat for more.", completion: .file())
  var policies: [String] = []

  @Option(help: "The OpenAPI document of the upstream; with --config, in place of the one that it names.", completion: .file())
  var openapi: String?

  @Option(help: "With --policy, the kind of the upstream: kubernetes or generic.")
  var kind: PolicyTest.UpstreamKind?

  @Option(help: "text or json.")
  var output = OutputForm.text

  @Argument(help: "The request's method.")
  var method: String

  @Argument(help: "The request's target as a client sends it, query and all.")
  var target: String

  func validate() throws {
    guard (self.config == nil) != self.policies.isEmpty else { throw ValidationError("Give one of --config and --policy.") }
    guard self.route == nil || self.config != nil else { throw ValidationError("--route needs --config.") }
    guard self.kind == nil || self.config == nil else { throw ValidationError("--kind is for --policy; a route knows its upstream.") }
    guard self.requestedGroups.isEmpty || self.requestedUser != nil else { throw ValidationError("--as-group needs --as.") }
  }

  func run() async throws {
    try await Exit.reporting {
      let rules =
        if let config = self.config {
          try await ExplainableRules(configuration: config, route: self.route, openapi: self.openapi)
        } else {
          try ExplainableRules(
            policyFiles: self.policies, openapi: self.openapi, reading: self.kind == .generic ? .generic : .kubernetes)
        }
      for warning in rules.warnings { StandardError.print("warning: \(warning)") }
      let explanation = rules.explain(self.request)
      print(try self.output == .json ? explanation.json() : explanation.text)
      if explanation.verdict != .allow { throw Exit.denied }
    }
  }

  private var request: WrittenRequest {
    let groups = self.groupLists.flatMap { $0.split(separator: ",").map(String.init) } + self.singleGroups
    return WrittenRequest(
      method: self.method, target: self.target, user: self.user, groups: groups,
      impersonates: self.requestedUser.map { RequestedImpersonation(user: $0, groups: self.requestedGroups) },
      authentication: self.authentication, clientAddress: self.clientAddress, upgrades: self.upgrade)
  }
}

extension AuthenticationMethod: ExpressibleByArgument {}
extension PolicyTest.UpstreamKind: ExpressibleByArgument {}
