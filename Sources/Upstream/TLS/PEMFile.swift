import NIOSSL
import SallyportCore

/// Reads certificates and keys, with faults that say which file, what for and what would be right.
enum PEMFile {
  static func certificates(_ path: String, for purpose: String) throws(Problem) -> [NIOSSLCertificate] {
    let found: [NIOSSLCertificate]
    do {
      found = try NIOSSLCertificate.fromPEMFile(path)
    } catch {
      throw Self.fault(path, purpose, error, right: "a file of -----BEGIN CERTIFICATE----- blocks")
    }
    guard !found.isEmpty else {
      throw .upstreamConfiguration.with(
        detail: "\(path): \(purpose): the file holds no certificate; a file of -----BEGIN CERTIFICATE----- blocks would be right")
    }
    return found
  }

  static func privateKey(_ path: String) throws(Problem) -> NIOSSLPrivateKey {
    do {
      return try NIOSSLPrivateKey(file: path, format: .pem)
    } catch {
      throw Self.fault(path, "the private key", error, right: "one unencrypted -----BEGIN … PRIVATE KEY----- block")
    }
  }

  /// The library's own words for a fault in a file are numbers; those of the system say what is wrong.
  private static func fault(_ path: String, _ purpose: String, _ error: any Error, right: String) -> Problem {
    let reason = (error as? NIOSSLError) == nil ? "\(error)" : "the file cannot be understood"
    return .upstreamConfiguration.with(detail: "\(path): \(purpose): \(reason); \(right) would be right")
  }
}
