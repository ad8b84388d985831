import NIOCore
import SallyportCore
import SallyportWire

/// Which requests are recorded, and at which of their stages: a `Policy` of `audit.k8s.io/v1`, with the API server's own
/// semantics (k8s.io/apiserver, pkg/audit/policy, `checker.go`): the first rule that matches decides, and what no rule matches
/// is not recorded.
///
/// What a reviewer must never miss is recorded whatever the policy says: see ``AuditRecord/isBeyondPolicy``.
public struct AuditPolicy: Sendable, Equatable {
  /// How much of a request is recorded; each level has what the one before has.
  public enum Level: String, Sendable, Hashable, CaseIterable, Comparable {
    case none = "None"
    case metadata = "Metadata"
    /// The request's body, too.
    case request = "Request"
    /// The answer's body, too.
    case requestResponse = "RequestResponse"

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .none: 0
      case .metadata: 1
      case .request: 2
      case .requestResponse: 3
      }
    }
  }

  /// What the policy says of one request.
  public struct Outcome: Sendable, Equatable {
    public var level: Level
    public var omitStages: Set<String>
    /// Whether `metadata.managedFields` is left out of bodies.
    public var omitsManagedFields = false
    /// Whether the rule names the request's resource, and not only with a wildcard: who wants the values of secrets asks for
    /// `secrets`.
    public var namesResource = false
    /// Bytes of each body.
    public var bodyLimit = AuditPolicy.usualBodyLimit
  }

  /// Resources of an API group; empty lists match everything.
  struct GroupResources: Sendable, Equatable {
    var group = ""
    var resources: [String] = []
    var resourceNames: [String] = []
  }

  struct Rule: Sendable, Equatable {
    var level = Level.metadata
    var users: Set<String> = []
    var userGroups: Set<String> = []
    var verbs: Set<String> = []
    var resources: [GroupResources] = []
    var namespaces: Set<String> = []
    var nonResourceURLs: [String] = []
    var omitStages: Set<String> = []
    /// `nil`: as the policy says.
    var omitsManagedFields: Bool?
  }

  var rules: [Rule]
  var omitStages: Set<String> = []
  var omitsManagedFields = false
  /// Bytes of a body that a record may have; a larger one is left out.
  public var bodyLimit = Self.usualBodyLimit
  public static let usualBodyLimit = 64 * 1024

  /// What is recorded of a request.
  ///
  /// - Parameters:
  ///   - username: who asks, before any impersonation
  ///   - info: the request as the API server reads it; `nil` at another upstream, where every request is one for no resource
  ///   - verb: of such a request: the method in lower case
  ///   - path: of such a request, decoded
  func outcome(username: String, groups: [String], info: RequestInfo?, verb: String, path: String) -> Outcome {
    for rule in self.rules where rule.matches(username: username, groups: groups, info: info, verb: verb, path: path) {
      return Outcome(
        level: rule.level, omitStages: rule.omitStages.union(self.omitStages),
        omitsManagedFields: rule.omitsManagedFields ?? self.omitsManagedFields, namesResource: info.map(rule.namesResource) ?? false,
        bodyLimit: self.bodyLimit)
    }
    return Outcome(level: .none, omitStages: self.omitStages)
  }
}

extension AuditPolicy.Rule {
  fileprivate func matches(username: String, groups: [String], info: RequestInfo?, verb: String, path: String) -> Bool {
    if !self.users.isEmpty, !self.users.contains(username) { return false }
    if !self.userGroups.isEmpty, !groups.contains(where: self.userGroups.contains) { return false }
    if !self.verbs.isEmpty, !self.verbs.contains(verb) { return false }
    if !self.namespaces.isEmpty || !self.resources.isEmpty {
      guard let info, info.isResourceRequest else { return false }
      return self.matchesResource(info)
    }
    if !self.nonResourceURLs.isEmpty {
      guard info?.isResourceRequest != true else { return false }
      return self.nonResourceURLs.contains { Self.path(path, fits: $0) }
    }
    return true
  }

  private func matchesResource(_ info: RequestInfo) -> Bool {
    if !self.namespaces.isEmpty, !self.namespaces.contains(info.namespace) { return false }
    if self.resources.isEmpty { return true }
    let combined = info.subresource.isEmpty ? info.resource : "\(info.resource)/\(info.subresource)"
    return self.resources.contains { entry in
      guard entry.group == info.apiGroup else { return false }
      if entry.resources.isEmpty { return true }
      guard entry.resourceNames.isEmpty || entry.resourceNames.contains(info.name) else { return false }
      return entry.resources.contains { name in
        if name == combined || name == "*" { return true }
        // `*/status` is that subresource of every resource, `pods/*` every subresource of pods, and pods.
        if !info.subresource.isEmpty, name.hasPrefix("*/"), name.dropFirst(2) == info.subresource { return true }
        return name.hasSuffix("/*") && name.dropLast(2) == info.resource
      }
    }
  }

  /// Whether an entry that matches has the resource's own name.
  fileprivate func namesResource(_ info: RequestInfo) -> Bool {
    let combined = info.subresource.isEmpty ? info.resource : "\(info.resource)/\(info.subresource)"
    return self.resources.contains { entry in
      entry.group == info.apiGroup && entry.resources.contains(combined)
        && (entry.resourceNames.isEmpty || entry.resourceNames.contains(info.name))
    }
  }

  private static func path(_ path: String, fits pattern: String) -> Bool {
    if pattern == "*" || pattern == path { return true }
    return pattern.hasSuffix("*") && path.utf8.starts(with: pattern.utf8.dropLast())
  }
}

extension AuditRecord {
  /// What the policy says of the request; the same for all its stages.
  public func outcome(of policy: AuditPolicy) -> AuditPolicy.Outcome {
    let (username, groups): (String, [String]) =
      switch self.subject {
      case .identity(let identity): (identity.username, identity.groups)
      default: ("system:anonymous", ["system:unauthenticated"])
      }
    var (verb, path) = ("", "")
    if let info = self.info {
      (verb, path) = (info.verb, info.path)
    } else if case .read(let method, let uri) = self.request.line {
      verb = method.lowercased
      path = String(buffer: uri).prefix { $0 != "?" && $0 != "#" }.description
    }
    return policy.outcome(username: username, groups: groups, info: self.info, verb: verb, path: path)
  }

  /// Whether the record is written whatever a policy says: a refusal, a failed sign-in, a failed connection, a shell or
  /// another way into a container, a failure of the gateway.
  public var isBeyondPolicy: Bool {
    if case .allow? = self.decision {} else { return true }
    if self.upgrade != nil || self.stage == .panic { return true }
    if let info = self.info, ["exec", "attach", "portforward", "proxy", "ephemeralcontainers"].contains(info.subresource) { return true }
    return false
  }

  /// Whether the policy leaves the record at this stage out.
  public func isOmitted(_ outcome: AuditPolicy.Outcome) -> Bool {
    guard !self.isBeyondPolicy else { return false }
    return outcome.level == .none || (!outcome.omitStages.isEmpty && outcome.omitStages.contains("\(self.stage.name)"))
  }
}
