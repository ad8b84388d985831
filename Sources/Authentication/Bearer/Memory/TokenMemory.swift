import NIOConcurrencyHelpers
import SallyportCore

/// What is kept of tokens from one configuration generation to the next: the judgements of the last minute, by keys that say
/// what they depend on, and the issuers' keys, so that a reload does not begin with a fetch.
final class TokenMemory: Sendable {
  let verified: ShardedCache<Identity>
  let refused: ShardedCache<Problem>
  let flights = SingleFlight<CredentialKey, AuthenticationOutcome>()
  /// How many tokens are being asked about.
  let asking = NIOLockedValueBox(0)

  private struct SourceKey: Hashable {
    let issuer: String
    let provider: TokenIssuer.Provider
  }

  /// A source lives as long as a generation that needs it: one that never came into force takes nothing from the others.
  private struct Held {
    weak var source: KeySetSource?
  }

  private let sources = NIOLockedValueBox<[SourceKey: Held]>([:])

  init(capacity: Int) {
    self.verified = ShardedCache(capacity: capacity)
    self.refused = ShardedCache(capacity: capacity / 4)
  }

  /// The sources for these issuers, in their order: those that there are already, and new ones for the others.
  func sources(for issuers: [TokenIssuer], making: (TokenIssuer) -> KeySetSource) -> [KeySetSource] {
    self.sources.withLockedValue { sources in
      sources = sources.filter { $0.value.source != nil }
      return issuers.map { issuer in
        let key = SourceKey(issuer: issuer.rules.issuer, provider: issuer.provider)
        let source = sources[key]?.source ?? making(issuer)
        sources[key] = Held(source: source)
        return source
      }
    }
  }
}
