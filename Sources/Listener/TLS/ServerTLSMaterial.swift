import NIOCore
import NIOSSL
import SallyportCore
import X509

import struct Foundation.Date

/// What the files of a TLS listener hold, read and found to fit together.
///
/// It outlives the generations that are made of it: the hourly change of tickets reads no file.
struct ServerTLSMaterial: Sendable {
  let chain: [NIOSSLCertificate]
  let key: NIOSSLPrivateKey
  let minimumVersion: ServerTLSConfiguration.Version
  let offersHTTP2: Bool
  /// The trust in client certificates; `nil` where none are asked for.
  let trust: ClientTrust?
  /// When the server's own certificate ends.
  let expires: Date

  /// Reads the files.
  ///
  /// - Parameter previous: trust that goes on if the authorities in the file are still the same, so that a renewed server
  ///   certificate costs no client its connection
  /// - Throws: ``Problem`` that names the file: unreadable, no PEM, not a certificate or key, a key that is another's
  static func load(_ configuration: ServerTLSConfiguration, previous: ClientTrust? = nil) throws(Problem) -> ServerTLSMaterial {
    let file = configuration.certificateFile
    let encoded = try PEMFile.certificates(in: file, fault: ListenerProblem.certificateUnusable)
    var chain: [NIOSSLCertificate] = []
    for (index, der) in encoded.enumerated() {
      do {
        chain.append(try NIOSSLCertificate(bytes: der, format: .der))
      } catch {
        throw ListenerProblem.certificateUnusable.with(detail: "\(file): certificate \(index + 1) of \(encoded.count) cannot be decoded")
      }
    }
    let material = ServerTLSMaterial(
      chain: chain, key: try PEMFile.privateKey(in: configuration.privateKeyFile), minimumVersion: configuration.minimumVersion,
      offersHTTP2: configuration.offersHTTP2,
      trust: try configuration.clientCAFile.map { caFile throws(Problem) in try ClientTrust.load(caFile, previous: previous) },
      expires: Date(timeIntervalSince1970: Double(chain[0].notValidAfter)))
    do {
      _ = try material.makeContext()
    } catch {
      throw ListenerProblem.keyMismatch.with(
        detail: "\(configuration.privateKeyFile) is not the key of the first certificate in \(file) (the leaf comes first)")
    }
    return material
  }

  /// Whether a context made of it would be the same but for its tickets.
  func isSame(as other: ServerTLSMaterial) -> Bool {
    self.chain == other.chain && self.key == other.key && self.minimumVersion == other.minimumVersion
      && self.offersHTTP2 == other.offersHTTP2 && self.trust === other.trust
  }

  /// A context with ticket keys of its own.
  func makeContext() throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: self.chain.map { .certificate($0) }, privateKey: .privateKey(self.key))
    // The library's own minimum is TLS 1.0.
    configuration.minimumTLSVersion =
      switch self.minimumVersion {
      case .tls12: .tlsv12
      case .tls13: .tlsv13
      }
    configuration.cipherSuiteValues = Self.ciphers
    configuration.applicationProtocols = self.offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
    configuration.shutdownTimeout = .seconds(2)
    if let trust = self.trust {
      configuration.certificateVerification = .optionalVerification
      configuration.trustRoots = .certificates(trust.authorities)
      // Clients choose a certificate by these names; Go's, kubectl's among them, present none that fits no name.
      configuration.sendCANameList = true
    } else {
      configuration.certificateVerification = .none
    }
    return try NIOSSLContext(configuration: configuration)
  }

  /// For TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325 section 4.2). TLS 1.3 has no others.
  private static let ciphers: [NIOTLSCipher] = [
    .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
  ]
}
