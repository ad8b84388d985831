import Crypto
import SwiftASN1
public import X509

/// Signs certificates: a certificate that says so, and its private key. All keys are P-256.
public struct CertificateAuthority: Sendable {
  public let certificate: Certificate
  let privateKey: Certificate.PrivateKey
  /// The authorities between this one and its root, nearest first; empty for a root.
  let intermediates: [Certificate]

  /// A new root.
  public init(_ profile: CertificateProfile) throws(PKIError) {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    self.certificate = try Self.sign(profile, publicKey: key.publicKey, issuer: nil, with: key)
    self.privateKey = key
    self.intermediates = []
  }

  private init(certificate: Certificate, privateKey: Certificate.PrivateKey, intermediates: [Certificate]) {
    self.certificate = certificate
    self.privateKey = privateKey
    self.intermediates = intermediates
  }

  /// Reads an authority back.
  ///
  /// - Throws: ``PKIError`` for what is no PEM, a certificate that may not sign certificates, and a key that is not its own
  public init(certificatePEM: String, privateKeyPEM: String) throws(PKIError) {
    guard let certificate = try? Certificate(pemEncoded: certificatePEM) else {
      throw PKIError("the authority's certificate is no certificate in PEM form")
    }
    guard let key = try? Certificate.PrivateKey(pemEncoded: privateKeyPEM) else {
      throw PKIError("the authority's private key is no key in PEM form that can be read without a password")
    }
    guard certificate.publicKey == key.publicKey else { throw PKIError("the private key does not belong to the authority's certificate") }
    guard case .isCertificateAuthority = try? certificate.extensions.basicConstraints else {
      throw PKIError("the certificate is not an authority's: it may not sign certificates")
    }
    self.init(certificate: certificate, privateKey: key, intermediates: [])
  }

  /// A certificate for a new key.
  public func issue(_ profile: CertificateProfile) throws(PKIError) -> IssuedCertificate {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let certificate = try Self.sign(profile, publicKey: key.publicKey, issuer: self.certificate, with: self.privateKey)
    return IssuedCertificate(certificate: certificate, privateKey: key, intermediates: self.chain)
  }

  /// An authority below this one; what it issues comes with it in the chain.
  public func intermediate(_ profile: CertificateProfile) throws(PKIError) -> CertificateAuthority {
    let issued = try self.issue(profile)
    return CertificateAuthority(certificate: issued.certificate, privateKey: issued.privateKey, intermediates: self.chain)
  }

  /// What goes behind a leaf: this authority and those above it, without the root.
  private var chain: [Certificate] {
    self.certificate.issuer == self.certificate.subject ? [] : [self.certificate] + self.intermediates
  }

  public var certificatePEM: String { pem(self.certificate) }
  /// PKCS #8, unencrypted.
  public var privateKeyPEM: String { pem(self.privateKey) }

  private static func sign(
    _ profile: CertificateProfile, publicKey: Certificate.PublicKey, issuer: Certificate?, with key: Certificate.PrivateKey
  ) throws(PKIError) -> Certificate {
    let subject = try self.subject(of: profile)
    let issuerKey = issuer?.publicKey ?? publicKey
    do {
      return try Certificate(
        version: .v3, serialNumber: self.randomSerial(), publicKey: publicKey, notValidBefore: profile.notBefore,
        notValidAfter: profile.notAfter, issuer: issuer?.subject ?? subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
        extensions: self.extensions(of: profile, key: publicKey, issuerKey: issuerKey), issuerPrivateKey: key)
    } catch let error as PKIError {
      throw error
    } catch {
      throw PKIError("the certificate for \(profile.commonName) cannot be made: \(error)")
    }
  }

  /// 128 random bits behind a one, so that the number is positive and always as long (RFC 5280 section 4.1.2.2).
  private static func randomSerial() -> Certificate.SerialNumber {
    var generator = SystemRandomNumberGenerator()
    return Certificate.SerialNumber(bytes: [1] + (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
  }

  private static func subject(of profile: CertificateProfile) throws(PKIError) -> DistinguishedName {
    for (what, text) in profile.organizations.map({ ("group", $0) }) + [("name", profile.commonName)] {
      // X.520 allows 64 characters; OpenSSL neither makes nor shows longer ones.
      guard !text.isEmpty, text.unicodeScalars.count <= 64 else { throw PKIError("a \(what) in a certificate has 1 to 64 characters") }
      guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
        throw PKIError("a \(what) in a certificate holds no control characters")
      }
    }
    typealias Attribute = RelativeDistinguishedName.Attribute
    let attributes =
      profile.organizations.map { Attribute(type: .RDNAttributeType.organizationName, utf8String: $0) }
      + [Attribute(type: .RDNAttributeType.commonName, utf8String: profile.commonName)]
    return DistinguishedName(attributes.map { RelativeDistinguishedName($0) })
  }

  private static func extensions(
    of profile: CertificateProfile, key: Certificate.PublicKey, issuerKey: Certificate.PublicKey
  ) throws -> Certificate.Extensions {
    let names = try self.alternativeNames(of: profile)
    var list: [Certificate.Extension] = []
    switch profile.role {
    case .authority(let depth):
      list.append(try .init(BasicConstraints.isCertificateAuthority(maxPathLength: depth), critical: true))
    case .leaf:
      list.append(try .init(BasicConstraints.notCertificateAuthority, critical: true))
    }
    if !profile.keyUses.isEmpty { list.append(try .init(KeyUsage(profile.keyUses), critical: true)) }
    if !profile.purposes.isEmpty {
      list.append(
        try .init(ExtendedKeyUsage(CertificateProfile.Purpose.allCases.filter(profile.purposes.contains).map(\.usage)), critical: false))
    }
    if !names.isEmpty { list.append(try .init(SubjectAlternativeNames(names), critical: false)) }
    list.append(try .init(SubjectKeyIdentifier(hash: key), critical: false))
    list.append(
      try .init(AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: issuerKey).keyIdentifier), critical: false))
    return try Certificate.Extensions(list)
  }

  private static func alternativeNames(of profile: CertificateProfile) throws(PKIError) -> [GeneralName] {
    var names: [GeneralName] = []
    for name in profile.dnsNames {
      guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !name.isEmpty, name.utf8.count <= 253 else {
        throw PKIError("\(name) is no host name; write an international name in its xn-- form")
      }
      names.append(.dnsName(name))
    }
    for address in profile.ipAddresses {
      guard let parsed = IPAddressBytes(address) else { throw PKIError("\(address) is no IP address") }
      names.append(.ipAddress(ASN1OctetString(contentBytes: parsed.bytes[...])))
    }
    for address in profile.emailAddresses { names.append(.rfc822Name(address)) }
    for uri in profile.uris { names.append(.uniformResourceIdentifier(uri)) }
    return names
  }
}

extension CertificateProfile.Purpose {
  var usage: ExtendedKeyUsage.Usage {
    switch self {
    case .serverAuthentication: .serverAuth
    case .clientAuthentication: .clientAuth
    case .codeSigning: .codeSigning
    }
  }
}

extension KeyUsage {
  init(_ uses: Set<CertificateProfile.KeyUse>) {
    self.init(
      digitalSignature: uses.contains(.digitalSignature), keyEncipherment: uses.contains(.keyEncipherment),
      keyCertSign: uses.contains(.certificateSigning), cRLSign: uses.contains(.revocationListSigning))
  }
}
