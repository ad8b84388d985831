import NIOPosix

/// The providers that people sign in to the pages by, in the order of the configuration.
struct RelyingParties: Sendable {
  let all: [RelyingParty]

  /// - Parameters:
  ///   - makeFetcher: gets an issuer's keys; over the network unless a test has its own way
  ///   - makeClient: asks a provider, likewise
  init(
    configuration: AuthenticatorConfiguration, memory: AuthenticationMemory, clock: AuthenticationClock,
    makeFetcher: (TokenIssuer) -> any KeySetFetcher = TokenAuthenticator.providerFetcher,
    makeClient: ((OpenIDProvider) -> any OpenIDClient)? = nil
  ) {
    // Of an issuer whose Bearer tokens are believed, too, the keys are fetched once.
    let sources = memory.tokens.sources(for: configuration.openIDProviders.map(\.tokenIssuer)) { issuer in
      KeySetSource(issuer: issuer.rules.issuer, fetcher: makeFetcher(issuer), clock: clock.monotonic, news: configuration.issuerNews)
    }
    self.all = zip(configuration.openIDProviders, sources).map { provider, keys in
      RelyingParty(
        provider, keptClaims: configuration.keptClaims, client: makeClient?(provider) ?? Self.connection(provider, clock), keys: keys,
        allowSystemNames: configuration.allowSystemNames, clock: clock)
    }
  }

  private static func connection(_ provider: OpenIDProvider, _ clock: AuthenticationClock) -> any OpenIDClient {
    do throws(ProviderFault) {
      return try OpenIDConnection(provider, wall: clock.wall)
    } catch {
      return BrokenOpenIDClient(fault: error)
    }
  }

  /// Begins to fetch the providers' metadata and keys.
  func begin() {
    for party in self.all {
      party.keys.start()
      party.metadata.begin(on: MultiThreadedEventLoopGroup.singleton.next())
    }
  }

  /// By bytes, as `iss` is compared everywhere.
  func party(ofIssuer issuer: String) -> RelyingParty? { self.all.first { $0.settings.issuer.utf8.elementsEqual(issuer.utf8) } }

  /// The provider with just these rules.
  func party(verifying verifier: [UInt8]) -> RelyingParty? { self.all.first { $0.verifier == verifier } }
}
