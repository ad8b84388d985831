import COpenSSL

/// Writes a certificate with its key as a PKCS #12 file, the form that browsers and key stores import (RFC 7292).
///
/// By OpenSSL 3 with its own defaults, AES-256-CBC and HMAC-SHA-256: NIOSSL writes such files too, but without the name
/// that a browser shows in its list, and without a say in cipher and iterations. The password is all that guards the key
/// in the file.
public enum PKCS12 {
  /// How often the password is hashed for the key that encrypts; each guess costs an attacker as much.
  private static let iterations: Int32 = 100_000

  /// - Parameters:
  ///   - issued: the certificate, its key and the intermediates
  ///   - authorities: more certificates to carry, as the root that a browser is to trust
  ///   - friendlyName: what a browser calls the entry
  ///   - password: must not be empty
  /// - Returns: the file's bytes, DER
  public static func encode(
    _ issued: IssuedCertificate, authorities: [String] = [], friendlyName: String, password: String
  ) throws(PKIError) -> [UInt8] {
    guard !password.isEmpty, !password.utf8.contains(0) else { throw PKIError("a .p12 file needs a password") }
    guard let key = Self.privateKey(issued.privateKeyPEM) else { throw PKIError("OpenSSL does not read the private key") }
    defer { EVP_PKEY_free(key) }
    guard let leaf = Self.certificate(issued.certificatePEM) else { throw PKIError("OpenSSL does not read the certificate") }
    defer { X509_free(leaf) }
    let chain = OPENSSL_sk_new_null()
    defer { OPENSSL_sk_free(chain) }
    var owned: [OpaquePointer] = []
    defer { owned.forEach { X509_free($0) } }
    for text in issued.intermediates.map(pem) + authorities {
      guard let certificate = Self.certificate(text) else { throw PKIError("OpenSSL does not read an authority's certificate") }
      owned.append(certificate)
      OPENSSL_sk_push(chain, UnsafeRawPointer(certificate))
    }
    guard let file = PKCS12_create(password, friendlyName, key, leaf, chain, 0, 0, Self.iterations, Self.iterations, 0) else {
      throw PKIError("OpenSSL does not make the .p12 file")
    }
    defer { PKCS12_free(file) }
    var bytes: UnsafeMutablePointer<UInt8>?
    let length = i2d_PKCS12(file, &bytes)
    guard length > 0, let bytes else { throw PKIError("OpenSSL does not write the .p12 file") }
    defer { CRYPTO_free(bytes, #fileID, #line) }
    return Array(UnsafeBufferPointer(start: bytes, count: Int(length)))
  }

  private static func certificate(_ text: String) -> OpaquePointer? {
    self.withMemory(text) { PEM_read_bio_X509($0, nil, nil, nil) }
  }

  private static func privateKey(_ text: String) -> OpaquePointer? {
    self.withMemory(text) { PEM_read_bio_PrivateKey($0, nil, nil, nil) }
  }

  private static func withMemory(_ text: String, _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
    var bytes = Array(text.utf8)
    return bytes.withUnsafeMutableBytes { buffer in
      guard let memory = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
      defer { BIO_free(memory) }
      return read(memory)
    }
  }
}
