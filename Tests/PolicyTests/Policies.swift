import SallyportCore
import SallyportPolicy
import SallyportStrictYAML
import SallyportWire
import Testing

/// The policy with these rules, each an item of the list `rules`.
func policy(_ rules: String, name: String = "p", default effect: String? = nil) throws -> PolicyDocument {
  let lines = rules.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }.joined(separator: "\n")
  let yaml = """
    apiVersion: sallyport.dev/v1alpha1
    kind: AccessPolicy
    metadata: {name: \(name)}
    \(effect.map { "default: \($0)" } ?? "")
    rules:
    \(lines)
    """
  return try PolicyDocument.load(yaml: yaml, fileName: "p.yaml")
}

/// What some policies say to requests that are written down.
struct Court {
  var matcher: PolicyMatcher
  var reading: PathReading

  init(_ documents: PolicyDocument..., catalogue: Catalogue? = nil, reading: PathReading = .kubernetes) {
    self.init(documents, catalogue: catalogue, reading: reading)
  }

  init(_ documents: [PolicyDocument], catalogue: Catalogue? = nil, reading: PathReading = .kubernetes) {
    self.matcher = PolicyMatcher(documents, catalogue: catalogue, reading: reading)
    self.reading = reading
  }

  init(_ rules: String, default effect: String? = nil, catalogue: Catalogue? = nil, reading: PathReading = .kubernetes) throws {
    self.init(try policy(rules, default: effect), catalogue: catalogue, reading: reading)
  }

  /// - Parameter request: `METHOD TARGET`
  func decide(
    _ request: String, user: String = "alice", groups: [String] = [], as requested: RequestedImpersonation? = nil,
    by method: AuthenticationMethod? = nil, from address: String = ""
  ) throws -> Decision {
    let words = request.split(separator: " ", maxSplits: 1).map(String.init)
    let written = WrittenRequest(
      method: words[0], target: words[1], user: user, groups: groups, impersonates: requested, authentication: method,
      clientAddress: address)
    return self.matcher.decide(try written.question(at: self.reading))
  }

  func denies(
    _ request: String, user: String = "alice", groups: [String] = [], as requested: RequestedImpersonation? = nil,
    by method: AuthenticationMethod? = nil, from address: String = ""
  ) throws -> Bool {
    if case .deny = try self.decide(request, user: user, groups: groups, as: requested, by: method, from: address) { true } else { false }
  }
}
