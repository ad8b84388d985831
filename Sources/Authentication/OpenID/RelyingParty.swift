import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportJOSE
import SallyportJSON

import struct Foundation.Date

/// The gateway as one provider's client: has codes exchanged for tokens, says whom these vouch for, and asks again.
///
/// An id_token is verified by the same keys and read by the same reader as a Bearer token of that issuer.
final class RelyingParty: Sendable {
  let settings: OpenIDProvider
  let verifier: [UInt8]
  let keys: KeySetSource
  let metadata: MetadataSource
  let client: any OpenIDClient
  private let identities: TokenIdentities
  private let wall: @Sendable () -> Date

  init(
    _ settings: OpenIDProvider, keptClaims: [String], client: any OpenIDClient, keys: KeySetSource, allowSystemNames names: Set<String>,
    clock: AuthenticationClock
  ) {
    var settings = settings
    self.verifier = settings.verifier(allowing: names)
    settings.rules = settings.rules.keeping(keptClaims)
    self.settings = settings
    self.client = client
    self.keys = keys
    self.identities = TokenIdentities(names: NameRules(allowSystemNames: names))
    self.metadata = MetadataSource(client, clock: clock.monotonic)
    self.wall = clock.wall
  }

  // MARK: - Signing in

  /// Whom a provider vouches for, and until when without being asked again.
  struct Vouched: Sendable {
    let identity: Identity
    let proof: ProviderProof
    let tags: [String]
    /// `exp` of the id_token.
    let ends: Date?
  }

  /// Has a code exchanged.
  ///
  /// - Returns: 401 where the provider does not vouch for anybody, 503 where it cannot be asked or does not know the gateway
  func redeem(_ code: AuthorizationCode, _ metadata: ProviderMetadata) async -> Result<Vouched, Problem> {
    let tokens: OpenIDTokens
    do throws(ProviderFault) {
      switch try await self.client.tokens(for: .code(code), at: metadata.tokenEndpoint) {
      case .success(let given): tokens = given
      case .failure(let error) where error.isInvalidGrant:
        return .failure(self.refusal("the provider does not know the code (invalid_grant)"))
      case .failure(let error): return .failure(self.unavailable("the token endpoint answers \(error.code)"))
      }
    } catch {
      return .failure(self.unavailable(error.description))
    }
    guard let idToken = tokens.idToken else { return .failure(self.refusal("the token answer has no id_token")) }
    do throws(TokenDoubt) {
      let (token, facts) = try await self.read(idToken, tokens, nonce: .mustBe(code.nonce), metadata, expecting: nil)
      return .success(try self.vouched(facts, token, idToken, tokens, nonce: code.nonce))
    } catch {
      switch error {
      case .refused(let detail): return .failure(self.refusal(detail))
      case .unknown(let detail): return .failure(self.unavailable(detail))
      }
    }
  }

  private func vouched(
    _ facts: TokenFacts, _ token: SignedToken, _ idToken: Secret, _ tokens: OpenIDTokens, nonce: Secret
  ) throws(TokenDoubt) -> Vouched {
    // The reader has seen to it that there is one.
    let subject = facts.subject ?? ""
    let proof = ProviderProof(
      provider: self.verifier, issuer: self.settings.issuer, subject: subject, nonce: SealedSecret(nonce),
      refreshToken: self.settings.refreshes ? tokens.refreshToken.map(SealedSecret.init) : nil, idToken: self.hint(idToken), renewing: nil)
    let tags =
      [ProviderTag.subject(subject, of: self.settings.issuer)]
      + (facts.sessionID.map { [ProviderTag.session($0, of: self.settings.issuer)] } ?? [])
    return Vouched(identity: try self.identity(of: facts), proof: proof, tags: tags, ends: facts.expires)
  }

  private func hint(_ idToken: Secret) -> SealedSecret? {
    self.settings.signsOut && idToken.count <= ProviderProof.longestHint ? SealedSecret(idToken) : nil
  }

  // MARK: - Asking again

  /// What the provider says of somebody who has signed in.
  enum Renewal: Sendable {
    case current(Identity, ProviderProof)
    case gone(String)
    /// Nothing was learned; what is to be kept by which to ask the next time.
    case unavailable(String, ProviderProof)
  }

  /// - Parameter user: whom the provider vouched for before
  func renew(_ user: Identity, _ proof: ProviderProof, _ metadata: ProviderMetadata) async -> Renewal {
    guard let refreshToken = proof.refreshToken else { return .gone("there is no refresh token") }
    var renewed = proof
    renewed.renewing = nil
    let tokens: OpenIDTokens
    do throws(ProviderFault) {
      switch try await self.client.tokens(for: .refresh(refreshToken.value), at: metadata.tokenEndpoint) {
      case .success(let given): tokens = given
      case .failure(let error) where error.endsTheGrant: return .gone("the provider has ended it (\(error.code))")
      // `invalid_client` and the like are the operator's to mend, and end nobody's session.
      case .failure(let error): return .unavailable("the token endpoint answers \(error.code)", renewed)
      }
    } catch {
      return .unavailable(error.description, renewed)
    }
    // A provider that gives another one takes the old one no more.
    if let next = tokens.refreshToken { renewed.refreshToken = SealedSecret(next) }
    do throws(TokenDoubt) {
      guard let idToken = tokens.idToken else { return .current(try await self.regrouped(user, tokens, proof, metadata), renewed) }
      let (_, facts) = try await self.read(idToken, tokens, nonce: .mayBe(proof.nonce.value), metadata, expecting: proof.subject)
      renewed.idToken = self.hint(idToken)
      return .current(try self.identity(of: facts), renewed)
    } catch {
      switch error {
      case .refused(let detail): return .gone(detail)
      case .unknown(let detail): return .unavailable(detail, renewed)
      }
    }
  }

  /// Without an id_token the provider says no more than that the user is still signed in; it may know their groups elsewhere.
  private func regrouped(
    _ user: Identity, _ tokens: OpenIDTokens, _ proof: ProviderProof, _ metadata: ProviderMetadata
  ) async throws(TokenDoubt) -> Identity {
    guard self.settings.groupsFrom == .userinfo else { return user }
    let groups = try await self.groups(by: tokens, of: proof.subject, metadata)
    return Identity(
      username: user.username, uid: user.uid, groups: groups, extra: user.extra, method: .oidc, origin: user.origin,
      verifier: self.verifier, token: user.token)
  }

  // MARK: - Signed out there

  func read(logoutToken: Secret) async throws(TokenDoubt) -> LogoutToken {
    let token = try await self.keys.verified(logoutToken, types: LogoutToken.types, algorithms: self.settings.rules.algorithms)
    do throws(TokenRefusal) {
      return try LogoutToken(token, rules: self.settings.rules, at: self.wall())
    } catch {
      throw .refused(error.description)
    }
  }

  // MARK: - Reading

  /// - Parameter subject: whom it must be about
  private func read(
    _ idToken: Secret, _ tokens: OpenIDTokens, nonce: IDTokenRules.Nonce, _ metadata: ProviderMetadata, expecting subject: String?
  ) async throws(TokenDoubt) -> (SignedToken, TokenFacts) {
    let token = try await self.keys.verified(idToken, types: [nil, "jwt"], algorithms: self.settings.rules.algorithms)
    var rules = self.settings.rules
    if self.settings.groupsFrom == .userinfo { rules.groups = nil }
    var facts: TokenFacts
    do throws(TokenRefusal) {
      try IDTokenRules(clientID: self.settings.clientID).check(token, nonce: nonce, accessToken: tokens.accessToken)
      facts = try ClaimsReader(token.claims, rules: rules, at: self.wall()).read()
    } catch {
      throw .refused("id_token: \(error)")
    }
    facts.sessionID = token.claims["sid"]?.string
    // Whoever it is about instead, they are not the one who is asked about.
    if let subject, facts.subject?.utf8.elementsEqual(subject.utf8) != true {
      throw .unknown("the provider answers about another subject than was asked about")
    }
    if self.settings.groupsFrom == .userinfo { facts.groups = try await self.groups(by: tokens, of: facts.subject ?? "", metadata) }
    // Providers promise no order, and another one is no other identity.
    facts.groups.sort()
    return (token, facts)
  }

  /// The groups that the userinfo endpoint knows.
  private func groups(
    by tokens: OpenIDTokens, of subject: String, _ metadata: ProviderMetadata
  ) async throws(TokenDoubt) -> [String] {
    guard let accessToken = tokens.accessToken else { throw .refused("the token answer has no access_token for the userinfo endpoint") }
    guard let endpoint = metadata.userinfoEndpoint else { throw .unknown("the provider has no userinfo_endpoint") }
    let claims: [String: JSONValue]
    do throws(ProviderFault) {
      claims = try await self.client.userinfo(by: accessToken, at: endpoint)
    } catch {
      throw .unknown(error.description)
    }
    // Section 5.3.2: an answer about somebody else must not be used.
    guard let stated = claims["sub"]?.string, stated.utf8.elementsEqual(subject.utf8) else {
      throw .refused("userinfo: sub is not the id_token's")
    }
    do throws(TokenRefusal) {
      let groups = try ClaimsReader(claims, rules: self.settings.rules, at: self.wall()).groups().sorted()
      try self.identities.check(groups: groups)
      return groups
    } catch {
      throw .refused("userinfo: \(error)")
    }
  }

  private func identity(of facts: TokenFacts) throws(TokenDoubt) -> Identity {
    do throws(TokenRefusal) {
      return try self.identities.identity(of: facts, from: self.settings.issuer, by: .oidc, verifier: self.verifier)
    } catch {
      throw .refused("id_token: \(error)")
    }
  }

  private func refusal(_ detail: String) -> Problem {
    AuthenticationProblem.providerRefused.with(detail: "\(self.settings.issuer): \(detail)")
  }

  func unavailable(_ detail: String) -> Problem {
    AuthenticationProblem.providerUnavailable.with(detail: "\(self.settings.issuer): \(detail)")
  }
}
