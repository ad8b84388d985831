import SallyportCore
import SallyportJSON

import struct Foundation.Date

/// An endpoint that opaque tokens are asked about (RFC 7662).
struct Introspection: TokenJudge {
  private let endpoint: IntrospectionEndpoint
  private let introspector: any TokenIntrospector
  private let identities: TokenIdentities
  let verifier: [UInt8]

  /// - Parameter names: the names that an identity may have, beyond those that everybody may
  init(_ endpoint: IntrospectionEndpoint, introspector: any TokenIntrospector, allowSystemNames names: Set<String>) {
    self.endpoint = endpoint
    self.introspector = introspector
    self.identities = TokenIdentities(names: NameRules(allowSystemNames: names))
    var digest = PartsDigest()
    digest.add(["introspection", endpoint.url, endpoint.clientID, endpoint.insecurePlaintext ? "plaintext" : "TLS"])
    digest.add(endpoint.certificateAuthority.map { [$0] } ?? [])
    digest.add([endpoint.rules.fingerprint])
    digest.add(names.sorted())
    self.verifier = digest.finalize()
  }

  func judgement(of token: Secret, at wall: @Sendable () -> Date) async -> TokenJudgement {
    let answer: JSONValue
    do throws(ProviderFault) {
      answer = try await self.introspector.answer(about: token)
    } catch {
      return .unknown(error.description)
    }
    guard let claims = answer.object else { return .refused("the introspection answer is no object") }
    // The value `true` itself: a text "true" or a 1 is nobody's word (RFC 7662 section 2.2).
    guard claims["active"] == .bool(true) else {
      return .refused(claims["active"] == .bool(false) ? "the token is not active" : "the introspection answer has no active")
    }
    do throws(TokenRefusal) {
      let facts = try ClaimsReader(claims, rules: self.endpoint.rules, form: .introspected, at: wall()).read()
      return .believed(
        try self.identities.identity(
          of: facts, from: self.issuer(claims), by: .introspection, verifier: self.verifier))
    } catch {
      return .refused(error.description)
    }
  }

  /// An `iss` that no rule demands is not judged, so that a route's `require` cannot go by it: the endpoint's own word is not
  /// another issuer's.
  private func issuer(_ claims: [String: JSONValue]) -> String {
    self.endpoint.rules.issuer.isEmpty ? self.endpoint.url : claims["iss"]?.string ?? self.endpoint.url
  }
}
