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

  private func jwtIssuers() throws(StartFault) -> [Authentication.JWT] {
    var faults = FaultCollector()
    var all: [Authentication.JWT] = []
    for source in self.authentication.tokens {
      switch source {
      case .jwt(let jwt): all.append(jwt)
      case .authenticationConfiguration(let file):
        all += faults.collect { () throws(FileFaults) in try Authentication.issuers(in: file) } ?? []
      }
    }
    guard faults.isEmpty else { throw faults.fault }
    return all
  }

  /// Where two who vouch for somebody may vouch for one name: whoever can choose a name at one of them can be the other's
  /// user. Nothing of what cannot be read.
  func tokenWarnings() -> [String] {
    guard let issuers = try? self.jwtIssuers() else { return [] }
    let others = self.authentication.clientCertificates != nil || !self.authentication.passwords.isEmpty
    var warnings: [String] = []
    for (index, issuer) in issuers.enumerated() {
      func warn(_ problem: String) {
        warnings.append(
          FileFault(.warning, at: issuer.place, problem, "give each issuer a prefix of its own in claimMappings").description)
      }
      for (kind, prefix) in [("users", issuer.username.prefix), ("groups", issuer.groups?.prefix)] {
        guard let prefix else { continue }
        if prefix.isEmpty, others { warn("has an empty prefix: its \(kind) may have the names of those of other ways to sign in") }
        let overlap = issuers[..<index].first { earlier in
          guard let other = kind == "users" ? earlier.username.prefix : earlier.groups?.prefix else { return false }
          return prefix.hasPrefix(other) || other.hasPrefix(prefix)
        }
        if let overlap { warn("may give its \(kind) the names of those of \(overlap.url), by their prefixes") }
      }
    }
    return warnings
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

extension GatewayConfiguration.Authentication.JWT.CertificateAuthority {
  fileprivate func text() throws(Problem) -> String {
    switch self {
    case .pem(let text): return text
    case .file(let file):
      guard let data = FileManager.default.contents(atPath: file.path), let text = String(validating: data, as: UTF8.self) else {
        throw Problem(
          "tokenIssuerBroken", blame: .operator, status: 500, message: "The gateway is not configured rightly.",
          detail: FileFault(at: file.place, "names \(file.path), which cannot be read", "name a file in PEM").description)
      }
      return text
    }
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
          }
        }))
  }
}
