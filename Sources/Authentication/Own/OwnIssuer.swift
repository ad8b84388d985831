import NIOCore
import SallyportCore
import SallyportJOSE
import SallyportJSON

public import struct Foundation.Date

/// The gateway's own issuer as somebody whose tokens are believed: only those for the gateway itself.
///
/// A token for an API server is refused here as it is refused there, so that none is good in two places. What claims to be
/// this issuer's is asked of nobody else.
public struct OwnIssuer: Sendable {
  let rules: TokenRules
  /// The keys' names: what a key that is gone has signed is believed no longer.
  let keyIDs: [String]
  let keySet: @Sendable (Date) -> [UInt8]

  /// - Parameters:
  ///   - url: `iss`
  ///   - keyIDs: the names of all keys
  ///   - keySet: the published keys at a time (RFC 7517)
  public init(url: String, keyIDs: [String], keySet: @escaping @Sendable (Date) -> [UInt8]) {
    // The claims are those of `Issuer.token`. Names come back as they went: no prefix.
    var rules = TokenRules(
      issuer: url, audiences: [OwnAudience.name], algorithms: [.es256, .rs256],
      username: .init(claim: ClaimPath("sub"), prefix: ""), groups: .init(claim: ClaimPath("groups"), prefix: ""),
      uid: ClaimPath("uid"))
    rules.isUIDOptional = true
    self.rules = rules
    self.keyIDs = keyIDs
    self.keySet = keySet
  }
}

/// The keys of the gateway's own issuer: those that it publishes at this moment.
///
/// They are read anew for each token that is not remembered, which costs less than the token's signature, so that a key
/// ends here at the second at which it is published no longer.
final class OwnKeys: IssuerKeys {
  private let issuer: OwnIssuer
  private let clock: AuthenticationClock

  init(_ issuer: OwnIssuer, clock: AuthenticationClock) {
    self.issuer = issuer
    self.clock = clock
  }

  var keys: KeySet? {
    guard let document = try? JSONReader.read(self.issuer.keySet(self.clock.wall())) else { return nil }
    return try? KeySet(document)
  }

  func start() {}
  func fetchForUnknownKey(on eventLoop: any EventLoop) -> EventLoopFuture<Void>? { nil }
}
