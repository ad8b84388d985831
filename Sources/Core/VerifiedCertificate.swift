public import struct Foundation.Date

/// A client certificate whose chain, purpose and validity were verified against a listener's trust.
///
/// It proves possession and trust, not yet an identity: the validity and whether it was revoked are judged again for
/// every request.
public final class VerifiedCertificate: Sendable {
  /// An authority of the chain.
  public final class Authority: Sendable {
    /// The authority's certificate, DER.
    public let der: [UInt8]
    /// SHA-256 over the DER, lower-case hexadecimal.
    public let fingerprint: String
    /// The subject as RFC 4514 writes it.
    public let subject: String

    public init(der: [UInt8], fingerprint: String, subject: String) {
      self.der = der
      self.fingerprint = fingerprint
      self.subject = subject
    }
  }

  /// A certificate of the chain and who signed it.
  public struct Link: Sendable {
    /// The serial number's magnitude, big-endian, without leading zeros.
    public let serial: [UInt8]
    public let issuer: Authority

    public init(serial: [UInt8], issuer: Authority) {
      self.serial = serial
      self.issuer = issuer
    }
  }

  /// The names beside the subject that a user can be known by (RFC 5280 section 4.2.1.6), in the certificate's order.
  public struct AlternativeNames: Sendable, Hashable {
    public var emails: [String]
    public var uris: [String]
    public var dnsNames: [String]

    public init(emails: [String] = [], uris: [String] = [], dnsNames: [String] = []) {
      self.emails = emails
      self.uris = uris
      self.dnsNames = dnsNames
    }
  }

  /// The leaf, DER.
  public let der: [UInt8]
  /// SHA-256 over the leaf's DER, lower-case hexadecimal.
  public let fingerprint: String
  /// The subject's common names and organisations, in the certificate's order.
  public let commonNames: [String]
  public let organizations: [String]
  /// The organisations' units; `nil` where one is in an encoding that cannot be read.
  public let organizationalUnits: [String]?
  public let alternativeNames: AlternativeNames
  /// The subject as RFC 4514 writes it.
  public let subject: String
  /// The serial number, lower-case hexadecimal without separators.
  public let serial: String
  public let issuer: String
  /// When the first certificate of the chain, root included, begins and ends to be valid.
  public let notBefore: Date
  public let notAfter: Date
  /// From the leaf up to the trusted authority, which is the last one's issuer. What is trusted has no link of its own.
  public let chain: [Link]
  /// The certificate policies that the leaf names and every authority between it and the trusted one allows, as OIDs
  /// (RFC 5280 section 6.1).
  public let policies: [String]

  @_spi(CertificateVerifier)
  public init(
    der: [UInt8], fingerprint: String, commonNames: [String], organizations: [String], organizationalUnits: [String]? = [],
    alternativeNames: AlternativeNames = AlternativeNames(), subject: String, serial: String, issuer: String, notBefore: Date,
    notAfter: Date, chain: [Link] = [], policies: [String] = []
  ) {
    self.der = der
    self.fingerprint = fingerprint
    self.commonNames = commonNames
    self.organizations = organizations
    self.organizationalUnits = organizationalUnits
    self.alternativeNames = alternativeNames
    self.subject = subject
    self.serial = serial
    self.issuer = issuer
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.chain = chain
    self.policies = policies
  }
}
