import Crypto

import struct Foundation.Data
import struct Foundation.URL

/// What an upstream is made of: its settings and what its files held, to tell whether another would be the same.
///
/// The files are looked at before the upstream reads them: one that is replaced in between makes the next comparison fail,
/// never hold.
struct UpstreamSource: Sendable, Equatable {
  let configuration: UpstreamConfiguration
  /// SHA-256 of each file; `nil` for one that cannot be read, which the upstream itself complains of.
  private let files: [[UInt8]?]

  init(_ configuration: UpstreamConfiguration) {
    self.configuration = configuration
    let paths =
      [configuration.rootsFile].compactMap { $0 } + configuration.clientCertificates.flatMap { [$0.certificateFile, $0.privateKeyFile] }
    self.files = paths.map { path in
      (try? Data(contentsOf: URL(fileURLWithPath: path))).map { Array(SHA256.hash(data: $0)) }
    }
  }
}
