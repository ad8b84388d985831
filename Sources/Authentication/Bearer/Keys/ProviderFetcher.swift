import AsyncHTTPClient
import NIOHTTP1
import SallyportJOSE
import SallyportJSON

/// Fetches an issuer's keys over HTTPS: the discovery document, which must name the issuer itself, and the key set that it
/// leads to (OpenID Connect Discovery 1.0 sections 4.2 and 4.3).
///
/// The provider's answers are bounded in size and time, redirects are not followed (nothing in the standard asks for them,
/// and they lead to whomever the sender names), and what is no JSON is not read.
struct ProviderFetcher: KeySetFetcher {
  let issuer: String
  let discoveryURL: String
  /// For both documents together.
  let timeLimit: Duration
  private let connection: ProviderConnection

  /// - Throws: ``ProviderFault`` for authorities that are no PEM
  init(issuer: String, provider: TokenIssuer.Provider, timeLimit: Duration = .seconds(10)) throws(ProviderFault) {
    self.issuer = issuer
    self.discoveryURL = provider.discoveryURL ?? Self.wellKnown(issuer)
    self.timeLimit = timeLimit
    self.connection = try ProviderConnection(
      certificateAuthority: provider.certificateAuthority, insecurePlaintext: provider.insecurePlaintext)
  }

  static func wellKnown(_ issuer: String) -> String {
    (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
  }

  func fetch() async throws(ProviderFault) -> KeySet {
    try await ProviderConnection.within(self.timeLimit) { () async throws(ProviderFault) in try await self.fetchBoth() }
  }

  private func fetchBoth() async throws(ProviderFault) -> KeySet {
    let discovery = try await self.document(at: self.discoveryURL, "the discovery document")
    guard let issuer = discovery["issuer"]?.string, issuer.utf8.elementsEqual(self.issuer.utf8) else {
      throw ProviderFault("the discovery document is another issuer's: its `issuer` is not the configured URL")
    }
    guard let address = discovery["jwks_uri"]?.string else { throw ProviderFault("the discovery document has no jwks_uri") }
    let document = try await self.document(at: address, "the key set")
    do throws(KeySet.Fault) {
      return try KeySet(document)
    } catch {
      throw ProviderFault("the key set cannot be used: \(error)")
    }
  }

  private func document(at address: String, _ name: String) async throws(ProviderFault) -> JSONValue {
    var request = HTTPClientRequest(url: address)
    request.headers.add(name: "Accept", value: "application/json, application/jwk-set+json")
    return try await self.connection.document(name, request)
  }
}
