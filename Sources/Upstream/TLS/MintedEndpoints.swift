import Crypto
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import SallyportCore

/// The endpoints of certificates that were made for identities: one TLS context each, made when the first connection needs it
/// and shared by all event loops.
///
/// The roots and the key are parsed once and shared, so that a context costs some ten microseconds and a few kilobytes. There
/// are no more than a bound; what was not asked for longest goes first, and what has ended goes in any case.
final class MintedEndpoints: Sendable {
  /// An hour's identities of a busy gateway.
  static let mostContexts = 8192

  private struct Entry: Sendable {
    let endpoints: [Endpoint]
    let ends: NIODeadline
  }

  private struct State: Sendable {
    var entries: RecentlyUsed<PoolKey, Entry>
    /// The key that the last certificate had, and its parsed form: the certificates of an hour share one.
    var key: (PresentedKey, NIOSSLPrivateKey)?
  }

  private let configuration: UpstreamConfiguration
  private let trustRoots: NIOSSLTrustRoots
  private let state: NIOLockedValueBox<State>

  init(_ configuration: UpstreamConfiguration, trusting roots: NIOSSLTrustRoots, capacity: Int = MintedEndpoints.mostContexts) {
    self.configuration = configuration
    self.trustRoots = roots
    self.state = NIOLockedValueBox(State(entries: RecentlyUsed(capacity: capacity)))
  }

  /// How many contexts are held.
  var count: Int { self.state.withLockedValue { $0.entries.count } }

  /// The endpoints by which connections present a certificate.
  ///
  /// - Returns: `nil` where the certificate is not the one that the key names, has ended, cannot be presented, or would be
  ///   to a server without TLS
  func endpoints(for key: PoolKey, presenting certificate: PresentedCertificate, at now: NIODeadline = .now()) -> [Endpoint]? {
    self.state.withLockedValue { state in
      if let known = state.entries.value(for: key) { return known.endpoints }
      guard now < certificate.ends, let endpoints = try? self.make(key, certificate, &state) else { return nil }
      while state.entries.removeOldest(where: { $0.ends <= now }) != nil {}
      state.entries.insert(Entry(endpoints: endpoints, ends: certificate.ends), for: key)
      return endpoints
    }
  }

  private func make(_ key: PoolKey, _ certificate: PresentedCertificate, _ state: inout State) throws -> [Endpoint]? {
    // What a pool is keyed by must be what its connections present.
    guard let leaf = certificate.chain.first, hexadecimal(SHA256.hash(data: leaf)) == key.certificateFingerprint,
      self.configuration.servers.allSatisfy(\.tls)
    else { return nil }
    var tls = ClientTLS.configuration(trusting: self.trustRoots)
    tls.certificateChain = try certificate.chain.map { .certificate(try NIOSSLCertificate(bytes: $0, format: .der)) }
    tls.privateKey = .privateKey(try Self.key(certificate.key, &state))
    let context = try NIOSSLContext(configuration: tls)
    return try self.configuration.servers.map { try Endpoint($0, of: self.configuration, tls: context) }
  }

  private static func key(_ key: PresentedKey, _ state: inout State) throws -> NIOSSLPrivateKey {
    if let (known, parsed) = state.key, known === key { return parsed }
    let parsed = try NIOSSLPrivateKey(bytes: key.der.withBytes { Array($0) }, format: .der)
    state.key = (key, parsed)
    return parsed
  }
}
