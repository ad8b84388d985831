import Crypto
@_spi(CertificateVerifier) import SallyportCore
import SwiftASN1
import X509

extension VerifiedCertificate {
  /// The facts of a leaf.
  ///
  /// - Throws: ``Problem`` when a common name or organisation is in an encoding that cannot be read (T61, BMP): a name that
  ///   two programs read differently is nobody's.
  convenience init(describing leaf: Certificate, der: [UInt8], fingerprint: String) throws(Problem) {
    self.init(
      der: der, fingerprint: fingerprint,
      commonNames: try Self.texts(of: .RDNAttributeType.commonName, in: leaf.subject),
      organizations: try Self.texts(of: .RDNAttributeType.organizationName, in: leaf.subject),
      subject: "\(leaf.subject)", serial: Self.hexadecimal(leaf.serialNumber.bytes.drop { $0 == 0 }), issuer: "\(leaf.issuer)",
      notBefore: leaf.notValidBefore, notAfter: leaf.notValidAfter)
  }

  /// SHA-256 over a certificate's DER, lower-case hexadecimal.
  static func fingerprint(of der: [UInt8]) -> String { self.hexadecimal(SHA256.hash(data: der)) }

  private static func texts(of type: ASN1ObjectIdentifier, in name: DistinguishedName) throws(Problem) -> [String] {
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
