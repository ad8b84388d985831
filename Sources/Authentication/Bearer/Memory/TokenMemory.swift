import NIOConcurrencyHelpers
import SallyportCore

/// What is kept of tokens from one configuration generation to the next: the judgements of the last minute, by keys that no
/// other generation has, and the issuers' keys, so that a reload does not begin with a fetch.
final class TokenMemory: Sendable {
  let verified: ShardedCache<Identity>
  let refused: ShardedCache<Problem>

  private struct SourceKey: Hashable {
    let issuer: String
    let provider: TokenIssuer.Provider
  }

  private let sources = NIOLockedValueBox<[SourceKey: KeySetSource]>([:])

  init(capacity: Int) {
    self.verified = ShardedCache(capacity: capacity)
    self.refused = ShardedCache(capacity: capacity / 4)
  }

  /// The sources for these issuers, in their order: those that there are already, and new ones for the others. What no
  /// issuer of the present generation needs is let go, and is no longer fetched once the last generation with it is gone.
  func sources(for issuers: [TokenIssuer], making: (TokenIssuer) -> KeySetSource) -> [KeySetSource] {
    self.sources.withLockedValue { sources in
      var kept: [SourceKey: KeySetSource] = [:]
      let needed = issuers.map { issuer in
        let key = SourceKey(issuer: issuer.rules.issuer, provider: issuer.provider)
        let source = sources[key] ?? making(issuer)
        kept[key] = source
        return source
      }
      sources = kept
      return needed
    }
  }
}
