public import struct Foundation.Date

/// A client certificate whose chain, purpose and validity were verified against a listener's trust.
///
/// It proves possession and trust, not yet an identity: the validity is judged again for every request.
public final class VerifiedCertificate: Sendable {
  /// The leaf, DER.
  public let der: [UInt8]
  /// SHA-256 over the leaf's DER, lower-case hexadecimal.
  public let fingerprint: String
  /// The subject's common names and organisations, in the certificate's order.
  public let commonNames: [String]
  public let organizations: [String]
  /// The subject as RFC 4514 writes it.
  public let subject: String
  /// The serial number, lower-case hexadecimal without separators.
  public let serial: String
  public let issuer: String
  public let notBefore: Date
  public let notAfter: Date

  @_spi(CertificateVerifier)
  public init(
    der: [UInt8], fingerprint: String, commonNames: [String], organizations: [String], subject: String, serial: String, issuer: String,
    notBefore: Date, notAfter: Date
  ) {
    self.der = der
    self.fingerprint = fingerprint
    self.commonNames = commonNames
    self.organizations = organizations
    self.subject = subject
    self.serial = serial
    self.issuer = issuer
    self.notBefore = notBefore
    self.notAfter = notAfter
  }
}
