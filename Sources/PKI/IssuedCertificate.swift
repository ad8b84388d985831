import SwiftASN1
public import X509

/// A certificate with its private key, and what stands between it and the root.
public struct IssuedCertificate: Sendable {
  public let certificate: Certificate
  let privateKey: Certificate.PrivateKey
  /// The authorities between the certificate and its root, nearest first.
  public let intermediates: [Certificate]

  /// The leaf alone.
  public var certificatePEM: String { pem(self.certificate) }
  /// The leaf, then the intermediates: what a TLS server or client presents.
  public var chainPEM: String { ([self.certificate] + self.intermediates).map(pem).joined() }
  /// PKCS #8, unencrypted.
  public var privateKeyPEM: String { pem(self.privateKey) }
}

func pem(_ certificate: Certificate) -> String {
  var serializer = DER.Serializer()
  // A certificate that was made or parsed in this process holds nothing that cannot be written.
  try? serializer.serialize(certificate)
  return PEMDocument(type: "CERTIFICATE", derBytes: serializer.serializedBytes).pemString + "\n"
}

func pem(_ key: Certificate.PrivateKey) -> String {
  // Only keys that live outside the process have no PEM form; this module makes and reads none of those.
  guard let document = try? key.serializeAsPEM() else { return "" }
  return document.pemString + "\n"
}
