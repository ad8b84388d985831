@_spi(Authenticator) import SallyportCore

/// Reads who a verified client certificate names, as Kubernetes does: the user from the common name, the groups from the
/// organisations. See kubernetes/apiserver's `authentication/request/x509`, `CommonNameUserConversion`.
///
/// Stricter than the API server where a certificate could mean two users: it takes the first of several common names and
/// any bytes in them, here there must be exactly one, and every name must keep ``NameRules``. One bad name refuses the
/// whole certificate, so that nobody is let in with a part of the groups that the certificate says.
struct CertificateReader: Sendable {
  let rules: NameRules

  /// Whom the certificate names. The certificate's validity in time is not judged here: it changes, and this does not.
  ///
  /// - Throws: `credentialsRefused`, with the detail for the operator
  func identity(of certificate: VerifiedCertificate) throws(Problem) -> Identity {
    guard let username = certificate.commonNames.first, certificate.commonNames.count == 1 else {
      throw self.refusal(of: certificate, "its subject has \(certificate.commonNames.count) common names, not one")
    }
    if let fault = self.rules.fault(in: username) {
      throw self.refusal(of: certificate, "its common name \(fault.rawValue)")
    }
    guard certificate.organizations.count <= NameRules.mostGroups else {
      throw self.refusal(of: certificate, "its subject has more than \(NameRules.mostGroups) organizations")
    }
    for group in certificate.organizations {
      if let fault = self.rules.fault(in: group) {
        throw self.refusal(of: certificate, "one of its organizations \(fault.rawValue)")
      }
    }
    return Identity(
      username: username, groups: certificate.organizations, method: .clientCertificate,
      origin: [
        .init("subject", certificate.subject), .init("issuer", certificate.issuer), .init("serial", certificate.serial),
        .init("fingerprint", certificate.fingerprint),
      ],
      expires: certificate.notAfter)
  }

  /// The certificate is named by what cannot hold anything but hexadecimal digits.
  private func refusal(of certificate: VerifiedCertificate, _ reason: String) -> Problem {
    AuthenticationProblem.credentialsRefused.with(detail: "client certificate \(certificate.fingerprint): \(reason)")
  }
}
