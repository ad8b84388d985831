@_spi(Authenticator) import SallyportCore

/// Reads who a verified client certificate names: by default as Kubernetes does, the user from the common name, the groups
/// from the organisations. See kubernetes/apiserver's `authentication/request/x509`, `CommonNameUserConversion`.
///
/// Stricter than the API server where a certificate could mean two users: it takes the first of several common names and
/// any bytes in them, here there must be exactly one, and every name must keep ``NameRules``. One bad name refuses the
/// whole certificate, so that nobody is let in with a part of the groups that the certificate says.
struct CertificateReader: Sendable {
  let names: NameRules
  let rules: CertificateRules

  init(names: NameRules, rules: CertificateRules = CertificateRules()) {
    self.names = names
    self.rules = rules
  }

  /// Whom the certificate names. The certificate's validity in time is not judged here: it changes, and this does not.
  ///
  /// - Throws: `credentialsRefused`, with the detail for the operator
  func identity(of certificate: VerifiedCertificate) throws(Problem) -> Identity {
    try self.checkIssue(of: certificate)
    let username = try self.username(of: certificate)
    let groups = try self.groups(of: certificate)
    return Identity(
      username: username, uid: self.rules.uid.map { Self.value($0, of: certificate) }, groups: groups,
      extra: self.rules.extra.map { .init(key: $0.key, values: [Self.value($0.value, of: certificate)]) }, method: .clientCertificate,
      origin: [
        .init("subject", certificate.subject), .init("issuer", certificate.issuer), .init("serial", certificate.serial),
        .init("fingerprint", certificate.fingerprint),
      ],
      expires: certificate.notAfter)
  }

  /// Whether one of the authorities that may issued the certificate, and under a policy that it may be issued under.
  private func checkIssue(of certificate: VerifiedCertificate) throws(Problem) {
    if !self.rules.issuers.isEmpty {
      let issuer = certificate.chain.first?.issuer
      let isListed = self.rules.issuers.contains { listed in
        switch listed {
        case .fingerprint(let fingerprint): return issuer?.fingerprint == fingerprint
        // By bytes: Swift's `==` sees through Unicode normalisation.
        case .subject(let subject): return issuer.map { $0.subject.utf8.elementsEqual(subject.utf8) } ?? false
        }
      }
      guard isListed else { throw self.refusal(of: certificate, "its issuer \(certificate.issuer) is not among `issuers`") }
    }
    guard self.rules.policies.isEmpty || self.rules.policies.contains(where: certificate.policies.contains) else {
      throw self.refusal(of: certificate, "it is not issued under one of `policies`")
    }
  }

  private func username(of certificate: VerifiedCertificate) throws(Problem) -> String {
    let (candidates, what) =
      switch self.rules.username {
      case .commonName: (certificate.commonNames, "common name")
      case .email: (certificate.alternativeNames.emails, "e-mail address")
      case .uri: (certificate.alternativeNames.uris, "URI")
      case .dnsName: (certificate.alternativeNames.dnsNames, "DNS name")
      }
    guard let username = candidates.first, candidates.count == 1 else {
      let place = self.rules.username == .commonName ? "its subject" : "its subjectAltName"
      throw self.refusal(of: certificate, "\(place) has \(candidates.count) \(what)s, not one")
    }
    if let fault = self.names.fault(in: username) {
      throw self.refusal(of: certificate, "its \(what) \(fault.rawValue)")
    }
    // An IA5String (RFC 5280 section 4.2.1.6); what is beyond ASCII programs read differently.
    guard self.rules.username == .commonName || username.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw self.refusal(of: certificate, "its \(what) holds something else than printable ASCII")
    }
    // What a user is named by must be an address: `@example.org` or `*.example.org` are names of many.
    if let reason = Self.fault(inForm: username, of: self.rules.username) { throw self.refusal(of: certificate, "its \(what) \(reason)") }
    return username
  }

  private static func fault(inForm name: String, of kind: CertificateRules.Username) -> String? {
    switch kind {
    case .commonName: nil
    case .email:
      name.split(separator: "@", omittingEmptySubsequences: false).count == 2 && !name.hasPrefix("@") && !name.hasSuffix("@")
        ? nil : "is not one mailbox, as in alice@example.org"
    case .uri: name.contains(":") && !name.hasPrefix(":") ? nil : "has no scheme"
    case .dnsName: name.contains("*") ? "is a wildcard" : nil
    }
  }

  private func groups(of certificate: VerifiedCertificate) throws(Problem) -> [String] {
    let (groups, what) =
      switch self.rules.groups {
      case .organizations: (Optional(certificate.organizations), "organizations")
      case .organizationalUnits: (certificate.organizationalUnits, "organizational units")
      case .none: (Optional([]), "groups")
      }
    guard let groups else {
      throw self.refusal(of: certificate, "one of its \(what) is neither UTF8String, PrintableString nor IA5String")
    }
    guard groups.count <= NameRules.mostGroups else {
      throw self.refusal(of: certificate, "its subject has more than \(NameRules.mostGroups) \(what)")
    }
    for group in groups {
      if let fault = self.names.fault(in: group) { throw self.refusal(of: certificate, "one of its \(what) \(fault.rawValue)") }
    }
    return groups
  }

  private static func value(_ value: CertificateRules.Value, of certificate: VerifiedCertificate) -> String {
    switch value {
    case .fingerprint: certificate.fingerprint
    case .serial: certificate.serial
    case .issuer: certificate.issuer
    case .subject: certificate.subject
    }
  }

  /// The certificate is named by what cannot hold anything but hexadecimal digits.
  private func refusal(of certificate: VerifiedCertificate, _ reason: String) -> Problem {
    AuthenticationProblem.credentialsRefused.with(detail: "client certificate \(certificate.fingerprint): \(reason)")
  }
}
