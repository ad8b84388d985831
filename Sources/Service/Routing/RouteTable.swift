import SallyportAuthentication
import SallyportCore
import SallyportCredential
import SallyportPolicy
import SallyportUpstream
import SallyportWire

/// One entry of the configuration's `routes`, joined with what it names. An object, since every request is handed one.
final class Route: Sendable {
  let name: String
  /// What the route is counted under; see ``RouteNumbers``.
  let number: Int
  /// Lower-case host names; empty for any host.
  let hosts: Set<String>
  /// The path prefix that the route serves, on segment boundaries; `/` for all.
  let pathPrefix: String
  let upstreamName: String
  let upstream: Upstream
  let reading: PathReading
  let credential: CredentialSource
  /// The fields that the route sets and removes; `nil` where it does neither.
  let headers: RouteHeaders?
  /// The route's own, and the gateway's behind them.
  let errorPages: ErrorPages?
  let accepts: AcceptedMethods
  /// What an identity must be proven by besides; `nil`: anything that the route accepts.
  let requirement: IdentityRequirement?
  /// Decoded paths that are open to everybody: exact, GET alone, and without an identity at the upstream.
  let anonymousPaths: Set<String>
  let policy: AccessPolicy

  /// The same route with its rules compiled anew.
  func judged(by rules: PolicyMatcher?) -> Route {
    Route(
      name: self.name, number: self.number, hosts: self.hosts, pathPrefix: self.pathPrefix, upstreamName: self.upstreamName,
      upstream: self.upstream, reading: self.reading, credential: self.credential, headers: self.headers,
      errorPages: self.errorPages, accepts: self.accepts, requirement: self.requirement, anonymousPaths: self.anonymousPaths,
      policy: self.policy.judging(by: rules))
  }

  init(
    name: String, number: Int = RouteNumbers.none, hosts: Set<String>, pathPrefix: String, upstreamName: String, upstream: Upstream,
    reading: PathReading, credential: CredentialSource, headers: RouteHeaders? = nil, errorPages: ErrorPages? = nil,
    accepts: AcceptedMethods, requirement: IdentityRequirement? = nil, anonymousPaths: Set<String>, policy: AccessPolicy
  ) {
    self.name = name
    self.number = number
    self.hosts = hosts
    self.pathPrefix = pathPrefix
    self.upstreamName = upstreamName
    self.upstream = upstream
    self.reading = reading
    self.credential = credential
    self.headers = headers
    self.errorPages = errorPages
    self.accepts = accepts
    self.requirement = requirement
    self.anonymousPaths = anonymousPaths
    self.policy = policy
  }

  /// What the route asks of an identity beyond that somebody vouches for it.
  ///
  /// - Returns: the answer to one that does not have it
  func problem(for identity: Identity) -> Problem? {
    if self.reading == .kubernetes, let problem = IdentityRequirement.problem(for: identity, atCluster: self.upstreamName) {
      return problem
    }
    return self.requirement?.problem(for: identity)
  }

  func matches(host: HostName?, path: String) -> Bool {
    if !self.hosts.isEmpty {
      guard let host, self.hosts.contains(host.text) else { return false }
    }
    return self.covers(path)
  }

  /// By bytes: Swift's own comparison sees through Unicode normalisation, and an upstream's does not.
  func covers(_ path: String) -> Bool {
    if self.pathPrefix == "/" { return true }
    guard path.utf8.starts(with: self.pathPrefix.utf8) else { return false }
    return path.utf8.count == self.pathPrefix.utf8.count || path.utf8.dropFirst(self.pathPrefix.utf8.count).first == UInt8(ascii: "/")
  }

  /// Whether the path is open to everybody.
  func isAnonymous(_ path: String) -> Bool {
    self.anonymousPaths.contains { $0.utf8.elementsEqual(path.utf8) }
  }
}

/// Finds the route of a request: the first in the configuration's order that matches.
struct RouteTable: Sendable {
  let routes: [Route]
  /// Every host that some route names, to tell an unknown host from an unknown path.
  private let knownHosts: Set<String>
  private let anyHost: Bool

  init(_ routes: [Route]) {
    self.routes = routes
    self.knownHosts = routes.reduce(into: []) { $0.formUnion($1.hosts) }
    self.anyHost = routes.contains { $0.hosts.isEmpty }
  }

  /// The route that serves a request.
  ///
  /// - Throws: ``Problem`` 421 for a host that is not served here, or that is another one of ours than the handshake
  ///   named (RFC 9110 section 15.5.20), 404 for a path that no route serves.
  func route(for request: StrippedRequest, on connection: ConnectionFacts) throws(Problem) -> Route {
    // Where no route names a host, no host separates anything, and none has to be read.
    guard !self.knownHosts.isEmpty else {
      guard let route = self.routes.first(where: { $0.covers(request.head.target.path) }) else { throw .noRoute }
      return route
    }
    let host = HostName(of: request.head)
    if let host, let serverName = connection.serverName, host.text != serverName, self.separates(host.text, serverName) {
      throw .misdirected
    }
    if let route = self.routes.first(where: { $0.matches(host: host, path: request.head.target.path) }) { return route }
    guard self.anyHost || self.knownHosts.contains(host?.text ?? "") else { throw .misdirected }
    throw .noRoute
  }

  /// Whether two host names are told apart here. A name that no route lists (`kubectl --tls-server-name`, an address)
  /// separates nothing: both lead to the routes for any host.
  private func separates(_ first: String, _ second: String) -> Bool {
    self.knownHosts.contains(first) || self.knownHosts.contains(second)
  }
}
