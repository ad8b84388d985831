import NIOCore
import SallyportCore
import SallyportJOSE
import SallyportJSON

import struct Foundation.Date

/// An endpoint that opaque tokens are asked about (RFC 7662).
struct Introspection: TokenJudge {
  private let endpoint: IntrospectionEndpoint
  private let introspector: any TokenIntrospector
  private let identities: TokenIdentities
  /// The keys of signed answers; `nil` where they are not signed.
  private let keys: KeySetSource?
  let verifier: [UInt8]

  /// - Parameters:
  ///   - keys: whose keys sign the answers, where the endpoint's answers are signed
  ///   - names: the names that an identity may have, beyond those that everybody may
  init(
    _ endpoint: IntrospectionEndpoint, introspector: any TokenIntrospector, keys: KeySetSource? = nil, allowSystemNames names: Set<String>
  ) {
    self.endpoint = endpoint
    self.introspector = introspector
    self.keys = keys
    self.identities = TokenIdentities(names: NameRules(allowSystemNames: names))
    var digest = PartsDigest()
    digest.add(["introspection", endpoint.url, endpoint.clientID, endpoint.insecurePlaintext ? "plaintext" : "TLS"])
    digest.add(endpoint.certificateAuthority.map { [$0] } ?? [])
    switch endpoint.answer {
    case .json: digest.add(["json"])
    case .introspectionJWT(let provider): digest.add(["introspectionJWT", provider.discoveryURL ?? ""])
    case .tokenJWT(let provider): digest.add(["tokenJWT", provider.discoveryURL ?? ""])
    }
    digest.add([endpoint.rules.fingerprint])
    digest.add(names.sorted())
    self.verifier = digest.finalize()
  }

  func begin() { self.keys?.start() }

  private static let inactive = "the token is not active"

  var subject: String { "introspection at \(self.endpoint.url)" }
  var refusals: Set<String> { [Self.inactive] }
  var cures: [(symptom: String, cure: String)] {
    let rejected = "it does not admit the gateway: check clientID, its secret or key, and clientAuthentication"
    return [("status 401", rejected), ("status 403", rejected)]
  }

  func judgement(of token: Secret, at wall: @Sendable () -> Date) async -> TokenJudgement {
    let answer: IntrospectionAnswer
    do throws(ProviderFault) {
      answer = try await self.introspector.answer(about: token)
    } catch {
      return .unknown(error.description)
    }
    switch (self.endpoint.answer, answer) {
    case (.json, .json(let value)):
      guard let claims = value.object else { return .refused("the introspection answer is no object") }
      return self.judgement(of: claims, form: .introspected, phantomToken: nil, at: wall())
    case (.introspectionJWT, .signed(let text)):
      do throws(SignedIntrospection.Fault) {
        let signed = try await self.verified(text, types: ["token-introspection+jwt"])
        let members = try SignedIntrospection(rules: self.endpoint.rules, clientID: self.endpoint.clientID)
          .members(of: signed, at: wall().timeIntervalSince1970)
        return self.judgement(of: members, form: .introspected, phantomToken: text, at: wall())
      } catch {
        return .unknown("\(self.endpoint.url): \(error.description)")
      }
    case (.tokenJWT, .signed(let text)):
      do throws(SignedIntrospection.Fault) {
        var claims = try await self.verified(text, types: [nil, "jwt", "at+jwt", "token-introspection+jwt"]).claims
        // Some providers give what they answer with this type, too. What stands in `token_introspection` has no claims beside it, and is
        // refused for that.
        // The token itself says nothing of it: that there is one is the yes. A no is still a no.
        if claims["active"] == nil { claims["active"] = .bool(true) }
        return self.judgement(of: claims, form: .signed, phantomToken: text, at: wall())
      } catch {
        return .unknown("\(self.endpoint.url): \(error.description)")
      }
    case (.tokenJWT, .nothing): return .refused(Self.inactive)
    case (.json, _), (.introspectionJWT, _), (.tokenJWT, .json):
      return .unknown("\(self.endpoint.url): the answer has not the form that was asked for")
    }
  }

  private func judgement(
    of claims: [String: JSONValue], form: ClaimsReader.Form, phantomToken: Secret?, at wall: Date
  ) -> TokenJudgement {
    // The value `true` itself: a text "true" or a 1 is nobody's word (RFC 7662 section 2.2).
    guard claims["active"] == .bool(true) else {
      return .refused(claims["active"] == .bool(false) ? Self.inactive : "the introspection answer has no active")
    }
    if let problem = Self.fault(ofKind: claims) { return .refused(problem) }
    do throws(TokenRefusal) {
      let facts = try ClaimsReader(claims, rules: self.endpoint.rules, form: form, at: wall).read()
      return .believed(
        try self.identities.identity(
          of: facts, from: self.issuer(claims), by: .introspection, verifier: self.verifier, phantomToken: phantomToken))
    } catch {
      return .refused(error.description)
    }
  }

  /// An `iss` that no rule demands is not judged, so that a route's `require` cannot go by it: the endpoint's own word is not
  /// another issuer's.
  private func issuer(_ claims: [String: JSONValue]) -> String {
    self.endpoint.rules.issuer.isEmpty ? self.endpoint.url : claims["iss"]?.string ?? self.endpoint.url
  }

  /// Endpoints vouch for refresh tokens, too, and for tokens that only the holder of a key may present (RFC 9449): neither says who
  /// it is by being presented.
  private static func fault(ofKind claims: [String: JSONValue]) -> String? {
    if let type = claims["token_type"] {
      guard let name = type.string?.lowercased(), ["bearer", "access_token"].contains(name) else {
        return "the token is no access token of the type Bearer (token_type)"
      }
    }
    // As Hydra and Keycloak say it.
    for name in ["token_use", "typ"] where claims[name]?.string?.lowercased().contains("refresh") == true {
      return "the token is a refresh token (\(name))"
    }
    return nil
  }

  /// The answer as a token of one of these types that one of the issuer's keys has signed.
  private func verified(_ text: Secret, types: [String?]) async throws(SignedIntrospection.Fault) -> SignedToken {
    guard let keys = self.keys else { throw .init("there are no keys for signed answers") }
    do throws(TokenDoubt) {
      return try await keys.verified(text, types: types, algorithms: self.endpoint.rules.algorithms)
    } catch {
      throw .init("the signed answer: \(error.detail)")
    }
  }
}
