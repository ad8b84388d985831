import NIOCore
public import SallyportCore
public import SallyportWire

/// A request as people write it down, `GET /api/v1/namespaces/dev/pods`, with who makes it: what tests in policy files and
/// `sallyport policy explain` ask about.
public struct WrittenRequest: Sendable {
  public let method: Method
  public let target: String
  public var user: String
  public var groups: [String]
  public var impersonates: RequestedImpersonation?
  public var authentication: AuthenticationMethod?
  public var clientAddress: String
  /// Whether the connection is to go on in another protocol, WebSocket or SPDY.
  public var upgrades: Bool

  public init(
    method: String, target: String, user: String, groups: [String] = [], impersonates: RequestedImpersonation? = nil,
    authentication: AuthenticationMethod? = nil, clientAddress: String = "", upgrades: Bool = false
  ) {
    self.method = Method(method)
    self.target = target
    self.user = user
    self.groups = groups
    self.impersonates = impersonates
    self.authentication = authentication
    self.clientAddress = clientAddress
    self.upgrades = upgrades
  }

  public init(_ test: PolicyTest) {
    let words = test.request.split(separator: " ", maxSplits: 1)
    self.init(
      method: String(words[0]), target: words.count == 2 ? String(words[1]) : "", user: test.user, groups: test.groups,
      impersonates: test.impersonates, authentication: test.authentication, clientAddress: test.clientAddress,
      upgrades: test.upgrades)
  }

  /// The question that the request puts to the rules, read as the gateway reads requests.
  ///
  /// - Throws: ``MalformedMessage`` for a target that the gateway answers 400, whatever the rules are
  public func question(at reading: PathReading) throws(MalformedMessage) -> PolicyQuestion {
    let target = try RequestTarget(reading: ByteBuffer(string: self.target), for: self.method)
    if let ambiguity = target.ambiguity(for: reading) { throw ambiguity }
    return PolicyQuestion(
      method: self.method, path: target.path, info: reading == .kubernetes ? RequestInfo(method: self.method, target: target) : nil,
      asker: Asker(user: self.user, groups: self.groups), requested: self.impersonates.map(Asker.init(requested:)),
      authentication: self.authentication, clientIP: self.clientAddress, upgrades: self.upgrades)
  }
}
