import Crypto
@_spi(CertificateVerifier) import SallyportCore
import SwiftASN1
import X509

extension VerifiedCertificate {
  /// The facts of a verified chain.
  ///
  /// - Parameters:
  ///   - path: from the leaf to the trusted authority
  ///   - authority: the facts of an authority of the path
  /// - Throws: ``Problem`` when a common name or organisation is in an encoding that cannot be read (T61, BMP): a name that
  ///   two programs read differently is nobody's.
  convenience init(
    describing leaf: Certificate, der: [UInt8], fingerprint: String, path: [Certificate], authority: (Certificate) throws -> Authority
  ) throws {
    var links: [Link] = []
    for (certificate, issuer) in zip(path, path.dropFirst()) {
      links.append(Link(serial: Array(certificate.serialNumber.bytes.drop { $0 == 0 }), issuer: try authority(issuer)))
    }
    self.init(
      der: der, fingerprint: fingerprint,
      commonNames: try Self.texts(of: .RDNAttributeType.commonName, in: leaf.subject),
      organizations: try Self.texts(of: .RDNAttributeType.organizationName, in: leaf.subject),
      organizationalUnits: try? Self.texts(of: .RDNAttributeType.organizationalUnitName, in: leaf.subject),
      alternativeNames: try Self.alternativeNames(of: leaf),
      subject: "\(leaf.subject)", serial: Self.serial(of: leaf), issuer: "\(leaf.issuer)",
      notBefore: path.map(\.notValidBefore).max() ?? leaf.notValidBefore, notAfter: path.map(\.notValidAfter).min() ?? leaf.notValidAfter,
      chain: links, policies: try CertificatePolicies.allowed(in: path))
  }

  /// The serial number, lower-case hexadecimal.
  static func serial(of certificate: Certificate) -> String { self.hexadecimal(certificate.serialNumber.bytes.drop { $0 == 0 }) }

  /// The names that a user can be known by; all others, `otherName` among them, are passed over.
  private static func alternativeNames(of leaf: Certificate) throws -> AlternativeNames {
    var names = AlternativeNames()
    for name in try leaf.extensions.subjectAlternativeNames ?? SubjectAlternativeNames([]) {
      switch name {
      case .rfc822Name(let email): names.emails.append(email)
      case .uniformResourceIdentifier(let uri): names.uris.append(uri)
      case .dnsName(let dnsName): names.dnsNames.append(dnsName)
      default: break
      }
    }
    return names
  }

  /// SHA-256 over a certificate's DER, lower-case hexadecimal.
  static func fingerprint(of der: [UInt8]) -> String { self.hexadecimal(SHA256.hash(data: der)) }

  static func texts(of type: ASN1ObjectIdentifier, in name: DistinguishedName) throws(Problem) -> [String] {
    var texts: [String] = []
    for relativeName in name {
      for attribute in relativeName where attribute.type == type {
        guard let text = String(attribute.value) else {
          throw ListenerProblem.certificateUnreadable.with(
            detail: "a name in the subject is neither UTF8String, PrintableString nor IA5String")
        }
        texts.append(text)
      }
    }
    return texts
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0x0F)]] }
    return text.isEmpty ? "00" : String(decoding: text, as: UTF8.self)
  }
}
