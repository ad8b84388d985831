import Logging
import NIOCore
import SallyportAuthentication
import SallyportConfiguration
import SallyportCore
import SallyportCredential
import SallyportIssuer
import SallyportPolicy
import SallyportRevocation
import SallyportUpstream
import SallyportWire

import struct Foundation.Date

extension Generation {
  /// Reads everything that a configuration names and joins it.
  ///
  /// - Parameters:
  ///   - continuation: what goes on from the generation before, its upstreams among them where nothing about them changed
  ///   - trustAnchors: the authorities of client certificates, by the listener's name
  /// - Throws: ``StartFault`` with every fault of every file that could be looked at.
  convenience init(
    _ configuration: GatewayConfiguration, continuing continuation: Continuation, trustAnchors: [String: Set<String>],
    group: any EventLoopGroup, logger: Logger
  ) throws(StartFault) {
    var faults = FaultCollector()
    let revocation =
      faults.collect { () throws(StartFault) in
        try configuration.revocation(previous: continuation.generation?.revocation)
      } ?? nil
    let read = configuration.readCredentials(keeping: continuation.generation?.credentials, &faults)
    let credentials = read.named
    var upstreams: [String: Upstream] = [:]
    for upstream in configuration.upstreams {
      let used = configuration.routes.filter { $0.upstream == upstream.name }.compactMap { credentials[$0.credential]?.certificate }
      upstreams[upstream.name] = faults.collect { () throws(Problem) in
        try Upstream.upstream(
          upstream.settings(presenting: used), keeping: continuation.generation?.upstreams[upstream.name], group: group, logger: logger)
      }
    }
    let reviews = { (review: GatewayConfiguration.Authentication.TokenReview) -> (any TokenReviewTransport)? in
      guard let upstream = upstreams[review.upstream],
        let credential = Self.ownCredential(at: review.upstream, configuration, credentials)
      else { return nil }
      return UpstreamTokenReview(upstream: upstream, credential: credential, timeout: review.timeout, eventLoop: group.next())
    }
    let shared = configuration.authentication.signIn?.session.shared.flatMap { section in
      faults.collect { () throws(StartFault) in try SharedSessions(section) }
    }
    let authenticator = faults.collect { () throws(StartFault) in
      try Self.authenticator(
        configuration, revocation: revocation, shared, continuation.memory, issuer: read.issuer, reviewingBy: reviews, logger)
    }
    let exchange =
      faults.collect { () throws(StartFault) in
        try configuration.tokenExchange(continuation.memory)
      } ?? nil
    let policies = faults.collect { () throws(StartFault) in try PolicyPlan(configuration) }
    let discoveries = faults.collect { () throws(StartFault) in try Self.discoveries(configuration, credentials, upstreams) }
    let auditPolicy = faults.collect { () throws(StartFault) in try configuration.audit.readPolicy() } ?? nil
    let errorPages = faults.collect { () throws(StartFault) in try ErrorPages.read(configuration.errorPages, before: nil) } ?? nil
    let pagesOfRoutes = configuration.routes.map { route in
      faults.collect { () throws(StartFault) in try ErrorPages.read(route.errorPages, before: errorPages) } ?? nil
    }
    let portal =
      faults.collect { () throws(StartFault) in try ServedPortal(configuration, continuation, sharing: shared?.keys) } ?? nil
    guard faults.isEmpty, let authenticator, let policies, let discoveries else { throw faults.fault }
    for warning in policies.warnings + (revocation?.warnings(at: Date()) ?? []) + configuration.tokenWarnings() {
      logger.warning("\(warning)")
    }
    // What upstreams say of themselves comes later: see `Generation.knowing`.
    let compiled = policies.compiled([:])
    let routes = zip(configuration.routes, pagesOfRoutes).compactMap { route, errorPages -> Route? in
      // Every name was checked when the configuration was read, and everything was made or its fault was thrown.
      guard let credential = credentials[route.credential], let upstream = upstreams[route.upstream] else { return nil }
      let kind = configuration.upstreams.first { $0.name == route.upstream }?.kind
      return Route(
        route, number: continuation.routeNumbers.number(of: route.name), upstream: upstream,
        reading: kind == .kubernetes ? .kubernetes : .generic,
        credential: Self.source(of: credential, asking: kind == .kubernetes ? upstream : nil, on: group.next()),
        errorPages: errorPages, rules: compiled.matchers[route.name])
    }
    var listeners: [String: ListenerRules] = [:]
    for listener in configuration.listeners {
      listeners[listener.name] = ListenerRules(
        streamLimits: StreamLimits(
          credentialGrace: TimeAmount(listener.limits.streamGrace), maximumAge: listener.limits.maximumStreamAge.map { TimeAmount($0) }),
        trustAnchors: trustAnchors[listener.name] ?? [])
    }
    self.init(
      number: (continuation.generation?.number ?? 0) + 1, hash: configuration.hash, routes: RouteTable(routes),
      authenticator: authenticator, revocation: revocation, upstreams: upstreams, listeners: listeners, policies: policies,
      unknownNames: compiled.unknownNames, discoveries: discoveries, auditPolicy: auditPolicy, credentials: read,
      issuer: read.issuer.flatMap { issuer in configuration.issuer.map { ServedIssuer(issuer: issuer, host: $0.host, exchange: exchange) }
      },
      portal: portal, errorPages: errorPages,
      refusals: continuation.generation?.refusals ?? CredentialRefusals(logger: logger))
  }

  /// A credential as a route to an upstream uses it: whoever impersonates asks it about the rights of users.
  private static func source(
    of credential: NamedCredential, asking upstream: Upstream?, on eventLoop: any EventLoop
  ) -> CredentialSource {
    guard let upstream, case .impersonation = credential.source,
      let reviewer = UpstreamAccessReview(
        upstream: upstream, credential: credential.source, identity: .ownIdentity(username: UpstreamTokenReview.username, groups: []),
        eventLoop: eventLoop)
    else { return credential.source }
    return credential.source.reviewed(by: reviewer)
  }

  /// By which the gateway asks an upstream on its own behalf: the first credential of a route to it that says who asks.
  private static func ownCredential(
    at upstream: String, _ configuration: GatewayConfiguration, _ credentials: [String: NamedCredential]
  ) -> CredentialSource? {
    configuration.routes.lazy.filter { $0.upstream == upstream }.compactMap { credentials[$0.credential]?.source }
      .first(where: \.statesIdentity)
  }

  /// How each upstream is asked that describes itself: by a route's credential, as a user of the gateway's own.
  private static func discoveries(
    _ configuration: GatewayConfiguration, _ credentials: [String: NamedCredential], _ upstreams: [String: Upstream]
  ) throws(StartFault) -> [String: Discovery] {
    var faults = FaultCollector()
    var discoveries: [String: Discovery] = [:]
    for section in configuration.upstreams where section.openapi == .upstream {
      // One that has faults of its own was reported.
      guard let upstream = upstreams[section.name] else { continue }
      if let credential = self.ownCredential(at: section.name, configuration, credentials) {
        discoveries[section.name] = Discovery(upstream: upstream, credential: credential, section: section)
      } else if configuration.routes.contains(where: { $0.upstream == section.name && credentials[$0.credential] != nil }) {
        faults.add(
          "upstream \(section.name): `openapi: upstream` is asked as a user of the gateway's own, and no route to it has a credential that "
            + "tells the upstream who asks; name a file, or a route with such a credential")
      }
    }
    guard faults.isEmpty else { throw faults.fault }
    return discoveries
  }

  private static func authenticator(
    _ gateway: GatewayConfiguration, revocation: RevocationStore?, _ shared: SharedSessions?, _ memory: AuthenticationMemory,
    issuer: Issuer?, reviewingBy reviews: (GatewayConfiguration.Authentication.TokenReview) -> (any TokenReviewTransport)?, _ logger: Logger
  ) throws(StartFault) -> Authenticator {
    let configuration = gateway.authentication
    let names = configuration.allowSystemNames
    var faults = FaultCollector()
    let stores = configuration.passwords.compactMap { store in
      faults.collect { () throws(StartFault) in
        try AuthenticatorConfiguration.PasswordSource(store, allowSystemNames: names.users.union(names.groups), logger: logger)
      }
    }
    let tokens = faults.collect { () throws(StartFault) in try gateway.tokenIssuers() } ?? []
    let providers = faults.collect { () throws(StartFault) in try gateway.openIDProviders() } ?? []
    let endpoints = faults.collect { () throws(StartFault) in try gateway.tokenEndpoints(reviewingBy: reviews) } ?? []
    guard faults.isEmpty else { throw faults.fault }
    var settings = AuthenticatorConfiguration(
      passwords: stores, certificates: configuration.clientCertificates.map(CertificateRules.init) ?? CertificateRules(),
      revocation: revocation, allowSystemNames: names.users.union(names.groups),
      cache: .init(lifetime: configuration.cacheLifetime),
      throttle: .init(
        failures: configuration.throttle.failures, per: configuration.throttle.per, lockout: configuration.throttle.lockout))
    settings.tokens = tokens
    settings.openIDProviders = providers
    settings.tokenEndpoints = endpoints
    settings.ownIssuer = issuer.map { issuer in
      OwnIssuer(url: issuer.url, keyIDs: issuer.keys.entries.map(\.key.id)) { issuer.keySet(at: $0) }
    }
    settings.sessions = configuration.signIn.map(SessionRules.init)
    settings.keptClaims = gateway.claimsInTemplates
    settings.sharedSessions = shared
    settings.issuerNews = { $0.log(to: logger) }
    return Authenticator(configuration: settings, memory: memory)
  }
}

extension GatewayConfiguration.Upstream {
  func settings(presenting certificates: [UpstreamConfiguration.ClientCertificate]) -> UpstreamConfiguration {
    var unique: [UpstreamConfiguration.ClientCertificate] = []
    for certificate in certificates where !unique.contains(certificate) { unique.append(certificate) }
    var settings = UpstreamConfiguration(
      name: self.name, servers: self.servers.map { .init(host: $0.host, port: $0.port, tls: $0.scheme == .https) },
      rootsFile: self.caFile?.path, serverName: self.serverName, clientCertificates: unique,
      connectTimeout: TimeAmount(self.connectTimeout), idleTimeout: TimeAmount(self.idleTimeout),
      maximumConnectionsPerEventLoop: self.maximumConnections, responseHeadTimeout: self.responseHeadTimeout.map { TimeAmount($0) })
    settings.tellsOrigin = self.kind == .generic
    return settings
  }
}

extension Route {
  fileprivate convenience init(
    _ route: GatewayConfiguration.Route, number: Int, upstream: Upstream, reading: PathReading, credential: CredentialSource,
    errorPages: ErrorPages?, rules: PolicyMatcher?
  ) {
    var accepts: AcceptedMethods = []
    for method in route.authenticate {
      switch method {
      case .clientCertificate: accepts.insert(.clientCertificate)
      case .password: accepts.insert(.password)
      case .token: accepts.insert(.token)
      case .session: accepts.insert(.session)
      }
    }
    self.init(
      name: route.name, number: number, hosts: Set(route.match.hosts), pathPrefix: route.match.path, upstreamName: route.upstream,
      upstream: upstream, reading: reading, credential: credential, headers: RouteHeaders(route.headers, of: route.name),
      errorPages: errorPages, accepts: accepts, requirement: route.require.map(IdentityRequirement.init),
      anonymousPaths: Set(route.anonymous),
      policy: AccessPolicy(impersonation: route.impersonation == .refuse ? .refuse : .allow, rules: rules))
  }
}
