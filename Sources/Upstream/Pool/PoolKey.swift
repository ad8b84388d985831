/// What all connections of one pool have in common: a security statement.
///
/// A connection speaks for whoever's client certificate it was made with, to whoever was verified by these roots under this
/// name. A request travels only on a connection whose key is its own, so no request ever speaks with another's certificate.
struct PoolKey: Hashable, Sendable, CustomStringConvertible {
  /// The upstream's name in the configuration.
  let upstream: String
  /// The name that the server must prove; empty where each server proves its own address.
  let serverName: String
  /// SHA-256 over the trust roots, lower-case hexadecimal; empty for the system's own.
  let trustRoots: String
  /// SHA-256 of the client certificate, lower-case hexadecimal; empty where none is presented.
  let certificateFingerprint: String

  // The fingerprint tells the pools of one upstream apart; equality still asks for all four.
  func hash(into hasher: inout Hasher) {
    hasher.combine(self.certificateFingerprint)
  }

  var description: String {
    let identity = self.certificateFingerprint.isEmpty ? "no client certificate" : "certificate \(self.certificateFingerprint.prefix(16))"
    return "\(self.upstream) (\(identity))"
  }
}
