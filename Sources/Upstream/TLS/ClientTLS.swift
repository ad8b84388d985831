import Crypto
import NIOCore
import NIOSSL
import SallyportCore

/// The TLS contexts of one upstream: one for each client certificate, and one for connections that present none.
///
/// All share the upstream's roots, parsed once, and verify the server's certificate and name in full. Nothing turns that off.
struct ClientTLS: Sendable {
  let contexts: [UpstreamCredential.ConnectionIdentity: NIOSSLContext]
  /// SHA-256 over the roots, for the pools' keys.
  let rootsFingerprint: String
  let trustRoots: NIOSSLTrustRoots

  init(_ configuration: UpstreamConfiguration) throws(Problem) {
    if let path = configuration.rootsFile {
      let roots = try PEMFile.certificates(path, for: "the upstream's trust roots")
      self.trustRoots = .certificates(roots)
      self.rootsFingerprint = try Self.fingerprint(of: roots, in: path)
    } else {
      self.trustRoots = .default
      self.rootsFingerprint = ""
    }
    let base = Self.configuration(trusting: self.trustRoots)

    var contexts: [UpstreamCredential.ConnectionIdentity: NIOSSLContext] = [:]
    contexts[.none] = try Self.context(base, "\(configuration.name): TLS cannot be set up")
    for certificate in configuration.clientCertificates {
      let chain = try PEMFile.certificates(certificate.certificateFile, for: "the client certificate")
      let identity = try UpstreamCredential.ConnectionIdentity(of: chain[0], in: certificate.certificateFile)
      guard identity == certificate.identity else {
        throw .upstreamConfiguration.with(
          detail: "\(certificate.certificateFile): the certificate is not the one that its credential was made for; "
            + "was the file replaced just now? Reload the configuration")
      }
      var own = base
      own.certificateChain = chain.map { .certificate($0) }
      own.privateKey = .privateKey(try PEMFile.privateKey(certificate.privateKeyFile))
      contexts[identity] = try Self.context(
        own, "\(certificate.privateKeyFile): the key does not belong to the certificate in \(certificate.certificateFile)")
    }
    self.contexts = contexts
  }

  /// What all contexts have in common.
  static func configuration(trusting roots: NIOSSLTrustRoots) -> TLSConfiguration {
    var base = TLSConfiguration.makeClientConfiguration()
    base.minimumTLSVersion = .tlsv12
    base.certificateVerification = .fullVerification
    base.applicationProtocols = [Self.applicationProtocol]
    base.renegotiationSupport = .none
    // How long a connection that ends waits for the server's own farewell.
    base.shutdownTimeout = .seconds(1)
    base.trustRoots = roots
    return base
  }

  /// The only protocol that is spoken; a server that chooses another is refused.
  static let applicationProtocol = "http/1.1"

  private static func context(_ configuration: TLSConfiguration, _ fault: String) throws(Problem) -> NIOSSLContext {
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw .upstreamConfiguration.with(detail: "\(fault) (\(error))")
    }
  }

  private static func fingerprint(of roots: [NIOSSLCertificate], in path: String) throws(Problem) -> String {
    var hash = SHA256()
    for root in roots {
      guard let der = try? root.toDERBytes() else {
        throw .upstreamConfiguration.with(detail: "\(path): a certificate cannot be encoded")
      }
      hash.update(data: der)
    }
    return hexadecimal(hash.finalize())
  }
}
