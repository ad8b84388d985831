import Logging
import SallyportAuthentication
import SallyportConfiguration
import SallyportCore
import SallyportStrictYAML

import class Foundation.FileManager

extension GatewayConfiguration {
  /// The issuers of `authentication.tokens`, those of included files among them.
  ///
  /// - Throws: every fault of the files, of certificate authorities, and issuers that stand twice
  func tokenIssuers() throws(StartFault) -> [TokenIssuer] {
    var faults = FaultCollector()
    var issuers: [TokenIssuer] = []
    for jwt in try self.jwtIssuers() {
      // By bytes, as the tokens' `iss` is compared.
      if let own = self.issuer?.url, own.utf8.elementsEqual(jwt.url.utf8) {
        faults.add(
          FileFault(at: jwt.place, "is the URL of the gateway's own issuer", "remove it: its tokens for this gateway are accepted")
            .description)
        continue
      }
      if issuers.contains(where: { $0.rules.issuer == jwt.url }) {
        faults.add(FileFault(at: jwt.place, "is the URL of an earlier issuer", "remove one of the two").description)
        continue
      }
      let issuer = faults.collect { () throws(Problem) in
        let issuer = try TokenIssuer(jwt)
        try issuer.check()
        return issuer
      }
      if let issuer { issuers.append(issuer) }
    }
    guard faults.isEmpty else { throw faults.fault }
    return issuers
  }

  /// The providers of `authentication.signIn.oidc`.
  ///
  /// - Throws: every fault of the files that they name
  func openIDProviders() throws(StartFault) -> [OpenIDProvider] {
    var faults = FaultCollector()
    let providers = (self.authentication.signIn?.oidc ?? []).compactMap { section in
      faults.collect { () throws(Problem) in
        let provider = try OpenIDProvider(section)
        try provider.check()
        return provider
      }
    }
    guard faults.isEmpty else { throw faults.fault }
    return providers
  }

  func jwtIssuers() throws(StartFault) -> [Authentication.JWT] {
    var faults = FaultCollector()
    var all: [Authentication.JWT] = []
    for source in self.authentication.tokens {
      switch source {
      case .jwt(let jwt): all.append(jwt)
      case .introspection, .tokenReview: break
      case .authenticationConfiguration(let file):
        all += faults.collect { () throws(FileFaults) in try Authentication.issuers(in: file) } ?? []
      }
    }
    guard faults.isEmpty else { throw faults.fault }
    return all
  }

  /// Who is asked about tokens that are of none of the issuers, in the order of `authentication.tokens`.
  ///
  /// - Parameter reviews: how a cluster is asked that `tokenReview` names
  /// - Throws: every fault of the files that they name
  func tokenEndpoints(
    reviewingBy reviews: (Authentication.TokenReview) -> (any TokenReviewTransport)?
  ) throws(StartFault) -> [AuthenticatorConfiguration.TokenEndpoint] {
    var faults = FaultCollector()
    var endpoints: [AuthenticatorConfiguration.TokenEndpoint] = []
    for source in self.authentication.tokens {
      switch source {
      case .jwt, .authenticationConfiguration: break
      case .introspection(let introspection):
        let endpoint = faults.collect { () throws(Problem) in
          let endpoint = try IntrospectionEndpoint(introspection)
          try endpoint.check()
          return endpoint
        }
        if let endpoint { endpoints.append(.introspection(endpoint)) }
      case .tokenReview(let review):
        // Every name was checked when the configuration was read; an upstream with faults of its own was reported.
        guard let transport = reviews(review), let upstream = self.upstreams.first(where: { $0.name == review.upstream }) else { break }
        endpoints.append(
          .tokenReview(
            TokenReviewSource(
              upstream: review.upstream, cluster: upstream.cluster, audiences: review.audiences, transport: transport)))
      }
    }
    guard faults.isEmpty else { throw faults.fault }
    return endpoints
  }
}

extension GatewayConfiguration.Upstream {
  /// Where the upstream is reached and by what it proves itself. An authority that cannot be read is the upstream's own fault.
  fileprivate var cluster: [String] {
    let authorities = self.caFile.flatMap { file in try? TokenFile.text(file) }
    return self.servers.map(\.description) + ["", self.serverName ?? "", authorities ?? ""]
  }
}

extension TokenIssuer {
  /// - Throws: ``Problem`` for a certificate authority that cannot be read
  init(_ jwt: GatewayConfiguration.Authentication.JWT) throws(Problem) {
    self.init(
      rules: TokenRules(
        issuer: jwt.url, audiences: jwt.audiences, algorithms: Set(jwt.algorithms),
        username: .init(claim: ClaimPath(jwt.username.claim), prefix: jwt.username.prefix),
        groups: jwt.groups.map { .init(claim: ClaimPath($0.claim), prefix: $0.prefix) }, uid: jwt.uid.map { ClaimPath($0) },
        extra: jwt.extra.map { .init(key: $0.key, claim: ClaimPath($0.claim)) },
        requirements: jwt.requirements.map { .init(claim: ClaimPath($0.claim), requiredValue: $0.requiredValue) },
        requiredScopes: jwt.requiredScopes),
      provider: Provider(
        discoveryURL: jwt.discoveryURL, certificateAuthority: try jwt.certificateAuthority?.text(), insecurePlaintext: jwt.insecurePlaintext
      ))
  }
}

extension IntrospectionEndpoint {
  /// - Throws: ``Problem`` for a secret or a certificate authority that cannot be read
  init(_ section: GatewayConfiguration.Authentication.Introspection) throws(Problem) {
    let authentication = try ClientAuthentication(section.clientAuthentication, audience: section.issuer ?? section.url)
    let authority = try section.certificateAuthorityFile.map { file throws(Problem) in try TokenFile.text(file) }
    let provider = TokenIssuer.Provider(
      discoveryURL: section.discoveryURL, certificateAuthority: authority, insecurePlaintext: section.insecurePlaintext)
    let answer: Answer =
      switch section.answer {
      case .json: .json
      case .introspectionJWT: .introspectionJWT(provider)
      case .jwt: .tokenJWT(provider)
      }
    self.init(
      url: section.url, clientID: section.clientID, clientAuthentication: authentication, answer: answer,
      certificateAuthority: authority, insecurePlaintext: section.insecurePlaintext, timeout: section.timeout,
      rules: TokenRules(
        issuer: section.issuer ?? "", audiences: section.audiences, algorithms: Set(section.algorithms),
        username: .init(claim: ClaimPath(section.username.claim), prefix: section.username.prefix),
        groups: section.groups.map { .init(claim: ClaimPath($0.claim), prefix: $0.prefix) }, uid: section.uid.map { ClaimPath($0) },
        extra: section.extra.map { .init(key: $0.key, claim: ClaimPath($0.claim)) },
        requirements: section.requirements.map { .init(claim: ClaimPath($0.claim), requiredValue: $0.requiredValue) },
        requiredScopes: section.requiredScopes))
  }
}

extension IntrospectionEndpoint.ClientAuthentication {
  /// - Parameter audience: whom an assertion is for, unless the section says otherwise
  fileprivate init(
    _ section: GatewayConfiguration.Authentication.Introspection.ClientAuthentication, audience usual: String
  ) throws(Problem) {
    switch section {
    case .basic(let file): self = .basic(try TokenFile.secret(file))
    case .post(let file): self = .post(try TokenFile.secret(file))
    case .privateKeyJWT(let file, let keyID, let audience):
      self = try TokenFile.clientKey(file, keyID: keyID, audience: audience ?? usual)
    }
  }
}

extension OpenIDProvider {
  /// - Throws: ``Problem`` for a secret, a key or a certificate authority that cannot be read
  init(_ section: GatewayConfiguration.Authentication.OpenID) throws(Problem) {
    let authentication = try section.clientAuthentication.map { client throws(Problem) in
      // An assertion for the issuer is of no use to anybody else, whatever its metadata says.
      try IntrospectionEndpoint.ClientAuthentication(client, audience: section.issuer)
    }
    let authority = try section.certificateAuthorityFile.map { file throws(Problem) in try TokenFile.text(file) }
    self.init(
      id: section.id, name: section.name, clientID: section.clientID, clientAuthentication: authentication, scopes: section.scopes,
      groupsFrom: section.groupsFrom == .userinfo ? .userinfo : .idToken, refreshes: section.refresh, signsOut: section.logout,
      rules: TokenRules(
        issuer: section.issuer, audiences: [section.clientID], algorithms: Set(section.algorithms),
        username: .init(claim: ClaimPath(section.username.claim), prefix: section.username.prefix),
        groups: section.groups.map { .init(claim: ClaimPath($0.claim), prefix: $0.prefix) }, uid: section.uid.map { ClaimPath($0) },
        extra: section.extra.map { .init(key: $0.key, claim: ClaimPath($0.claim)) },
        requirements: section.requirements.map { .init(claim: ClaimPath($0.claim), requiredValue: $0.requiredValue) }, requiredScopes: []),
      provider: TokenIssuer.Provider(
        discoveryURL: section.discoveryURL, certificateAuthority: authority, insecurePlaintext: section.insecurePlaintext))
  }
}

extension GatewayConfiguration.Authentication.JWT.CertificateAuthority {
  fileprivate func text() throws(Problem) -> String {
    switch self {
    case .pem(let text): return text
    case .file(let file): return try TokenFile.text(file)
    }
  }
}

/// The small files of text that `authentication.tokens` names.
private enum TokenFile {
  static func text(_ file: NamedFile) throws(Problem) -> String {
    guard let data = FileManager.default.contents(atPath: file.path), let text = String(validating: data, as: UTF8.self) else {
      throw self.fault(file, "which cannot be read", "name a file of text that this user can read")
    }
    return text
  }

  /// The file's only line.
  static func secret(_ file: NamedFile) throws(Problem) -> Secret {
    let text = try self.text(file)
    let line = text.hasSuffix("\r\n") ? text.dropLast() : text.hasSuffix("\n") ? text.dropLast() : text[...]
    guard !line.isEmpty, !line.contains(where: \.isNewline) else {
      throw self.fault(file, "which holds no secret", "write the secret as the only line of the file")
    }
    return Secret(line.utf8)
  }

  /// The key that the gateway signs its assertions with.
  static func clientKey(_ file: NamedFile, keyID: String?, audience: String) throws(Problem) -> IntrospectionEndpoint.ClientAuthentication {
    let pem = try self.text(file)
    do throws(Problem) {
      return try .privateKeyJWT(pem: pem, keyID: keyID, audience: audience)
    } catch {
      throw self.fault(file, "which cannot be used: \(error.detail)", "name a PEM file with one private key")
    }
  }

  private static func fault(_ file: NamedFile, _ what: String, _ remedy: String) -> Problem {
    Problem(
      "tokenIssuerBroken", blame: .operator, status: 500, message: "The gateway is not configured rightly.",
      detail: FileFault(at: file.place, "names \(file.path), \(what)", remedy).description)
  }
}

extension IssuerNews {
  /// Says it in the program's log.
  func log(to logger: Logger) {
    switch self {
    case .keysFetched(let issuer, let count, let unusable):
      logger.notice("an issuer's keys are there", metadata: ["issuer": "\(issuer)", "keys": "\(count)"])
      for reason in unusable {
        logger.notice("a key of an issuer cannot be used", metadata: ["issuer": "\(issuer)", "reason": "\(reason)"])
      }
    case .fetchFailed(let issuer, let reason):
      logger.error("an issuer's keys cannot be fetched", metadata: ["issuer": "\(issuer)", "reason": "\(reason)"])
    }
  }
}

extension IdentityRequirement {
  init(_ require: GatewayConfiguration.Route.Requirement) {
    self.init(
      scopes: require.scopes, audiences: require.audiences, issuers: require.issuers,
      methods: Set(
        require.methods.map { method in
          switch method {
          case .clientCertificate: .clientCertificate
          case .passwordFile: .passwordFile
          case .ldap: .ldap
          case .pam: .pam
          case .jwt: .jwt
          case .introspection: .introspection
          case .tokenReview: .tokenReview
          case .issuedToken: .issuedToken
          case .session: .session
          }
        }))
  }
}
