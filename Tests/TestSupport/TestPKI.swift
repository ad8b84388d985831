public import NIOSSL
public import SallyportPKI

/// Certificates for tests, minted in memory: three authorities as a real installation has them, and leaves by need.
///
/// ```swift
/// let pki = try TestPKI()
/// let server = pki.server                                   // for localhost, 127.0.0.1 and ::1
/// let alice = try pki.client("alice", groups: ["dev"])
/// let expired = try pki.client("alice") { $0.notAfter = Date(timeIntervalSinceNow: -1) }
/// ```
public struct TestPKI: Sendable {
  /// Signs servers: the gateway's and the API server's.
  public let serverAuthority: CertificateAuthority
  /// Signs users.
  public let clientAuthority: CertificateAuthority
  /// Signs front proxies only, as `--requestheader-client-ca-file` wants it.
  public let frontProxyAuthority: CertificateAuthority
  /// A server for `localhost`, `127.0.0.1` and `::1`.
  public let server: TestCertificate
  /// A client named `front-proxy-client`.
  public let frontProxy: TestCertificate

  public init() throws {
    self.serverAuthority = try CertificateAuthority(.authority("Test Server CA", depth: nil))
    self.clientAuthority = try CertificateAuthority(.authority("Test Client CA", depth: nil))
    self.frontProxyAuthority = try CertificateAuthority(.authority("Test Front Proxy CA"))
    self.server = TestCertificate(try self.serverAuthority.issue(.server(names: ["localhost", "127.0.0.1", "::1"])))
    self.frontProxy = TestCertificate(try self.frontProxyAuthority.issue(.frontProxy()))
  }

  /// A user's certificate.
  ///
  /// - Parameters:
  ///   - authority: who signs; the client authority unless told otherwise
  ///   - change: makes the certificate another, often a bad one
  public func client(
    _ name: String, groups: [String] = [], signedBy authority: CertificateAuthority? = nil,
    _ change: (inout CertificateProfile) -> Void = { _ in }
  ) throws -> TestCertificate {
    var profile = CertificateProfile.client(name, groups: groups)
    change(&profile)
    return TestCertificate(try (authority ?? self.clientAuthority).issue(profile))
  }

  /// A server's certificate for other names.
  public func server(
    names: [String], signedBy authority: CertificateAuthority? = nil, _ change: (inout CertificateProfile) -> Void = { _ in }
  ) throws -> TestCertificate {
    var profile = CertificateProfile.server(names: names)
    change(&profile)
    return TestCertificate(try (authority ?? self.serverAuthority).issue(profile))
  }

  /// An authority below the client authority; what it signs carries it in its chain.
  public func intermediateClientAuthority(_ name: String = "Test Client Intermediate CA") throws -> CertificateAuthority {
    try self.clientAuthority.intermediate(.authority(name))
  }
}

/// A certificate and key in the forms that tests want.
public struct TestCertificate: Sendable {
  public let issued: IssuedCertificate

  public init(_ issued: IssuedCertificate) {
    self.issued = issued
  }

  /// Leaf first, then intermediates.
  public var chainPEM: String { self.issued.chainPEM }
  public var privateKeyPEM: String { self.issued.privateKeyPEM }

  /// The leaf, then the intermediates.
  public func chain() throws -> [NIOSSLCertificateSource] {
    try NIOSSLCertificate.fromPEMBytes(Array(self.chainPEM.utf8)).map { .certificate($0) }
  }

  public func leaf() throws -> NIOSSLCertificate {
    try NIOSSLCertificate(bytes: Array(self.issued.certificatePEM.utf8), format: .pem)
  }

  public func privateKey() throws -> NIOSSLPrivateKeySource {
    .privateKey(try NIOSSLPrivateKey(bytes: Array(self.privateKeyPEM.utf8), format: .pem))
  }
}

extension CertificateAuthority {
  /// The authority as roots to trust.
  public func trustRoots() throws -> NIOSSLTrustRoots {
    .certificates(try NIOSSLCertificate.fromPEMBytes(Array(self.certificatePEM.utf8)))
  }
}
