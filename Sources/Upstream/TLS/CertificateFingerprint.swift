import Crypto
import NIOSSL
public import SallyportCore

extension UpstreamCredential.ConnectionIdentity {
  /// The identity of connections that present the first certificate of a PEM file.
  ///
  /// The credential station names its connections by this, and ``Upstream`` checks that it presents the same certificate.
  ///
  /// - Throws: ``Problem/upstreamConfiguration`` with the file's name when it holds no certificate or cannot be read.
  public init(certificateFile path: String) throws(Problem) {
    let chain = try PEMFile.certificates(path, for: "the client certificate")
    self = try Self(of: chain[0], in: path)
  }

  init(of certificate: NIOSSLCertificate, in path: String) throws(Problem) {
    guard let der = try? certificate.toDERBytes() else {
      throw .upstreamConfiguration.with(detail: "\(path): the certificate cannot be encoded")
    }
    self.init(certificateFingerprint: hexadecimal(SHA256.hash(data: der)))
  }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
