import NIOCore
import NIOPosix
import SallyportCore
import SallyportJOSE

/// Why a token of a provider's is not known to be one.
enum TokenDoubt: Error, Sendable, Hashable {
  /// It is none.
  case refused(String)
  /// Nobody can say, for want of keys.
  case unknown(String)

  var detail: String {
    switch self {
    case .refused(let detail), .unknown(let detail): detail
    }
  }
}

extension KeySetSource {
  /// Text as a token of one of these types that one of the issuer's keys has signed. An unknown `kid` has the keys fetched, as a
  /// client's token does, and never falls back to another key.
  func verified(
    _ text: Secret, types: [String?], algorithms: Set<SignatureAlgorithm>
  ) async throws(TokenDoubt) -> SignedToken {
    let token: SignedToken
    do throws(SignedToken.Fault) {
      token = try SignedToken(text.withBytes { Array($0) })
    } catch {
      throw .refused(error.description)
    }
    guard types.contains(token.type) else { throw .refused("typ is another") }
    guard algorithms.contains(token.algorithm) else { throw .refused("alg is none of the issuer's") }
    if self.isSigned(token) == true { return token }
    // Another key may have the same name by now, or be there.
    if let fetched = self.fetchForUnknownKey(on: MultiThreadedEventLoopGroup.singleton.next()) { try? await fetched.get() }
    switch self.isSigned(token) {
    case true?: return token
    case false?: throw .refused("the signature is none of the issuer's keys'")
    case nil:
      guard self.keys != nil else { throw .unknown("the issuer's keys are not known yet") }
      throw .refused("kid names no key of the issuer")
    }
  }

  /// - Returns: `nil` where the keys are not known, or none has the token's `kid`
  private func isSigned(_ token: SignedToken) -> Bool? {
    guard let keys = self.keys else { return nil }
    if let keyID = token.keyID, !keys.knows(keyID) { return nil }
    return keys.candidates(for: token.keyID, token.algorithm).prefix(TokenAuthenticator.mostTries).contains { token.isSigned(by: $0) }
  }
}
