import CAllocationCount
import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportCredential
import SallyportIssuer
import SallyportPKI

/// Measures what it costs to say to an upstream who asks: for the next request of a connection, for a known identity on another
/// connection, and for one that nobody has seen.
///
///     sallyport-credential-bench
@main
struct CredentialBench {
  /// One way, as the request path calls it.
  private struct Way {
    let name: String
    let tell: (Subject, ConnectionMemory?) throws -> UpstreamCredential
    /// How many are made in a round.
    var misses = 2_000
  }

  static func main() throws {
    print("Nanoseconds a request, median of 9 rounds; allocations a request in brackets.\n")
    print("| credential | same connection | known identity | new identity |")
    print("|---|---|---|---|")
    for way in try self.ways() {
      let cells = [try self.cell(20_000) { try self.sameConnection(way) }, try self.cell(20_000) { self.knownIdentity(way) }]
      let miss = try self.cell(way.misses) { self.newIdentity(way) }
      print("| \(way.name) | \(cells[0]) | \(cells[1]) | \(miss) |")
    }
  }

  private static func ways() throws -> [Way] {
    func issuer(_ algorithm: SigningKey.Algorithm) throws -> Issuer {
      Issuer(
        url: "https://gateway.example.org/.sallyport",
        keys: KeyRing([.init(try SigningKey(algorithm), begins: .distantPast)], tokenLifetime: 300))
    }
    let names = ReservedNames()
    let headers = RequestHeaderCredential(certificateFingerprint: String(repeating: "a", count: 64))
    let es256 = IDTokenCredential(issuer: try issuer(.es256), audience: "kubernetes", names: names)
    let rs256 = IDTokenCredential(issuer: try issuer(.rs256), audience: "kubernetes", names: names)
    let authority = try CertificateAuthority(.authority("Minting CA"))
    let certificates = ClientCertificateCredential(
      authority: try MintingAuthority(certificates: authority.certificatePEM, privateKey: authority.privateKeyPEM, at: Date()),
      rules: .init(), names: names)
    return [
      Way(name: "requestHeaders") { try headers.credential(for: $0, impersonating: nil, memory: $1) },
      Way(name: "idToken, ES256") { try es256.credential(for: $0, impersonating: nil, memory: $1) },
      Way(name: "idToken, RS256", tell: { try rs256.credential(for: $0, impersonating: nil, memory: $1) }, misses: 200),
      Way(name: "clientCertificate") { try certificates.credential(for: $0, impersonating: nil, memory: $1) },
    ]
  }

  private static func identity(_ number: Int) -> Subject {
    .identity(Identity(username: "user-\(number)@example.org", groups: ["developers", "operators", "viewers"], method: .ldap))
  }

  private static func sameConnection(_ way: Way) throws -> (Int) throws -> Void {
    let (alice, memory) = (self.identity(0), ConnectionMemory())
    _ = try way.tell(alice, memory)
    return { _ in _ = try way.tell(alice, memory) }
  }

  private static func knownIdentity(_ way: Way) -> (Int) throws -> Void {
    let alice = self.identity(0)
    return { _ in _ = try way.tell(alice, nil) }
  }

  private static func newIdentity(_ way: Way) -> (Int) throws -> Void {
    // Made before, since making it is not what is measured; each is used once.
    let people = (0..<way.misses * 11).map { self.identity($0 + 1) }
    return { try _ = way.tell(people[$0], nil) }
  }

  private static func cell(_ rounds: Int, _ prepare: () throws -> (Int) throws -> Void) throws -> String {
    let work = try prepare()
    var number = 0
    func round() throws {
      for _ in 0..<rounds {
        try work(number)
        number += 1
      }
    }
    try round()
    let before = allocation_count()
    try round()
    let allocations = Double(allocation_count() - before) / Double(rounds)
    let nanoseconds = try (0..<9).map { _ in
      let clock = ContinuousClock()
      let duration = try clock.measure(round)
      return (Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) / 1e9) / Double(rounds)
    }.sorted()[4]
    return "\(String(format: "%.0f", nanoseconds)) (\(String(format: "%.1f", allocations)))"
  }
}
