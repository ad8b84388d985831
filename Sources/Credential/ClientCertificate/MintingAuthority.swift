import Crypto
import SallyportCore
import SwiftASN1
import X509

public import struct Foundation.Date

/// The authority that signs certificates for users, which the API server trusts as its `--client-ca-file`.
public struct MintingAuthority: Sendable {
  /// Why a file holds no authority that can sign: the end of a sentence behind its name; never a part of a key.
  public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
  }

  let certificate: Certificate
  private let privateKey: Certificate.PrivateKey
  private let keyIdentifier: AuthorityKeyIdentifier
  /// What stands between a leaf and the root, DER; empty where the authority is the root itself.
  let chain: [[UInt8]]
  /// When its own certificate ends.
  public var ends: Date { self.certificate.notValidAfter }

  /// Reads an authority.
  ///
  /// - Parameters:
  ///   - certificates: PEM; the authority's first, then those above it up to the root, which may be left out
  ///   - privateKey: PEM, without a password
  ///   - now: the authority must be valid
  /// - Throws: ``Fault``
  public init(certificates: String, privateKey: String, at now: Date) throws(Fault) {
    guard let documents = try? PEMDocument.parseMultiple(pemString: certificates),
      let all = try? documents.map({ try Certificate(derEncoded: $0.derBytes) }), let certificate = all.first
    else { throw Fault("holds no certificate in PEM form") }
    guard let key = try? Certificate.PrivateKey(pemEncoded: privateKey) else {
      throw Fault("has a private key that is no key in PEM form which can be read without a password")
    }
    guard certificate.publicKey == key.publicKey else { throw Fault("is not the certificate of the private key") }
    guard case .isCertificateAuthority = try? certificate.extensions.basicConstraints else {
      throw Fault("is not an authority's certificate: it may not sign certificates (basicConstraints)")
    }
    if let usage = try? certificate.extensions.keyUsage, !usage.keyCertSign {
      throw Fault("is not an authority's certificate: its key may not sign certificates (keyUsage)")
    }
    guard certificate.notValidBefore <= now, certificate.notValidAfter > now else { throw Fault("is not valid at this time") }
    self.certificate = certificate
    self.privateKey = key
    let identifier = (try? certificate.extensions.subjectKeyIdentifier)??.keyIdentifier
    self.keyIdentifier = AuthorityKeyIdentifier(keyIdentifier: identifier ?? SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
    self.chain = zip(all, documents).filter { $0.0.issuer != $0.0.subject }.map { $0.1.derBytes }
  }

  /// Signs a certificate by which a client of TLS says who it is, and nothing else.
  func sign(
    _ subject: DistinguishedName, alternativeNames: [GeneralName], extensions: [Certificate.Extension], serial: [UInt8],
    publicKey: Certificate.PublicKey, from begins: Date, to ends: Date
  ) throws -> Certificate {
    var list: [Certificate.Extension] = [
      try .init(BasicConstraints.notCertificateAuthority, critical: true),
      try .init(KeyUsage(digitalSignature: true), critical: true),
      try .init(ExtendedKeyUsage([.clientAuth]), critical: false),
      try .init(self.keyIdentifier, critical: false),
    ]
    if !alternativeNames.isEmpty { list.append(try .init(SubjectAlternativeNames(alternativeNames), critical: false)) }
    return try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(bytes: serial), publicKey: publicKey, notValidBefore: begins,
      notValidAfter: ends, issuer: self.certificate.subject, subject: subject, extensions: Certificate.Extensions(list + extensions),
      issuerPrivateKey: self.privateKey)
  }
}
