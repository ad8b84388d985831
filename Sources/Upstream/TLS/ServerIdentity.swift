import NIOSSL
import SwiftASN1
import X509

/// Whether a server's certificate holds the name that the upstream is configured with (RFC 9525).
///
/// The TLS library also accepts a certificate that only holds the address which the connection went to, and one that holds
/// the name only as its subject's common name. With a cluster's CA the first would let a node's kubelet, whose certificate
/// holds the node's address, stand in for an API server whose name was made to resolve there. So the name is asked for
/// again, among the `dNSName`s alone. A server that is configured by its address is judged by the library: it must hold it.
enum ServerIdentity {
  static func certificate(_ certificate: NIOSSLCertificate?, holds name: String) -> Bool {
    guard let der = try? certificate?.toDERBytes(), let parsed = try? Certificate(derEncoded: der),
      let alternatives = try? parsed.extensions.subjectAlternativeNames
    else { return false }
    return alternatives.contains { alternative in
      if case .dnsName(let pattern) = alternative { Self.matches(pattern: pattern, name: name) } else { false }
    }
  }

  /// A `*` stands for the whole first label and only for one.
  static func matches(pattern: String, name: String) -> Bool {
    let pattern = Self.labels(pattern)
    let name = Self.labels(name)
    guard pattern.count == name.count, !pattern.contains("") else { return false }
    guard let first = pattern.first, first == "*" else { return pattern == name }
    return pattern.count > 2 && pattern.dropFirst() == name.dropFirst()
  }

  private static func labels(_ name: String) -> [String] {
    let absolute = name.hasSuffix(".") ? String(name.dropLast()) : name
    return absolute.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }
}
