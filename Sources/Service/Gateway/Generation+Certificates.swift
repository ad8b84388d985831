import SallyportAuthentication
import SallyportConfiguration
import SallyportCore
import SallyportListener
import SallyportRevocation

extension CertificateRules {
  /// As the configuration words them.
  init(_ section: GatewayConfiguration.Authentication.ClientCertificates) {
    self.init(
      username: {
        switch section.username {
        case .subjectCommonName: .commonName
        case .email: .email
        case .uri: .uri
        case .dnsName: .dnsName
        }
      }(),
      groups: {
        switch section.groups {
        case .subjectOrganization: .organizations
        case .subjectOrganizationalUnit: .organizationalUnits
        case .none: .none
        }
      }(),
      uid: section.uid.map(Value.init), extra: section.extra.map { Extra(key: $0.key, value: Value($0.value)) },
      issuers: section.issuers.map { issuer in
        switch issuer {
        case .fingerprint(let fingerprint): .fingerprint(fingerprint)
        case .subject(let subject): .subject(subject)
        }
      },
      policies: section.policies)
  }
}

extension CertificateRules.Value {
  init(_ value: GatewayConfiguration.Authentication.ClientCertificates.CertificateValue) {
    self =
      switch value {
      case .fingerprint: .fingerprint
      case .serial: .serial
      case .issuer: .issuer
      case .subject: .subject
      }
  }
}

extension GatewayConfiguration {
  /// The revocation lists that client certificates are judged by; `nil` where none are configured.
  ///
  /// - Parameter previous: goes on if it is made of the same files and authorities, with the lists that are in force
  /// - Throws: what is wrong with the lists, or with a client CA file
  func revocation(previous: RevocationStore?) throws(StartFault) -> RevocationStore? {
    guard let section = self.authentication.clientCertificates?.revocation else { return nil }
    var faults = FaultCollector()
    var authorities: [[UInt8]] = []
    for file in self.listeners.compactMap(\.tls.clientCAFile) {
      let read = faults.collect { () throws(Problem) in try SallyportListener.Listener.authorities(in: file.path) } ?? []
      authorities += read.filter { !authorities.contains($0) }
    }
    guard faults.isEmpty else { throw faults.fault }
    let files = section.crlFiles.map(\.path)
    if let previous, previous.isMade(of: files, authorities: authorities) { return previous }
    do throws(RevocationFaults) {
      return try RevocationStore(files: files, authorities: authorities)
    } catch {
      throw StartFault(error.problems.map { $0.detail.isEmpty ? $0.message : $0.detail })
    }
  }
}
