import SallyportJSON

import struct Foundation.Date

/// Judges the claims of a token whose signature was verified (RFC 7519 section 4.1, RFC 8725 section 3, OpenID Connect Core
/// section 3.1.3.7), and reads the identity that they state.
struct ClaimsReader {
  /// How far the clocks of issuer and gateway may differ, in seconds.
  static let leeway = 30.0
  /// A time beyond the year 9999 is no time that somebody meant.
  private static let latestTime = 253_402_300_799.0

  /// Where the claims come from.
  enum Form {
    /// A signed token, which says for itself whose it is and whom it is for.
    case signed
    /// The answer of an endpoint that was asked about a token (RFC 7662 section 2.2). Every claim is optional there: it is judged
    /// where it is there, and demanded where the rules ask for it.
    case introspected
  }

  let rules: TokenRules
  let form: Form
  let claims: [String: JSONValue]
  /// The present time, in seconds since 1970.
  let now: Double

  init(_ claims: [String: JSONValue], rules: TokenRules, form: Form = .signed, at now: Date) {
    self.claims = claims
    self.rules = rules
    self.form = form
    self.now = now.timeIntervalSince1970
  }

  /// - Throws: ``TokenRefusal`` with the first claim that is not as it must be
  func read() throws(TokenRefusal) -> TokenFacts {
    let (audiences, expires) = try self.envelope()
    let subject = try self.subject()
    try self.checkAuthorizedParty(audiences)
    for requirement in self.rules.requirements {
      guard requirement.claim.value(in: self.claims)?.string.map({ Self.isSame($0, requirement.requiredValue) }) == true else {
        throw TokenRefusal("\(requirement.claim) has not the required value")
      }
    }
    let scopes = try self.scopes()
    for scope in self.rules.requiredScopes where !scopes.contains(where: { Self.isSame($0, scope) }) {
      throw TokenRefusal("the scope \(scope) is missing")
    }
    return TokenFacts(
      username: try self.username(), groups: try self.groups(), uid: try self.uid(), extra: try self.extra(), scopes: scopes,
      audiences: audiences, expires: expires.map { Date(timeIntervalSince1970: $0) }, subject: subject, tokenID: self.claims["jti"]?.string,
      authenticated: (try? self.time("auth_time")).flatMap { $0 }.map { Date(timeIntervalSince1970: $0) },
      methods: self.claims["amr"]?.strings ?? [], email: self.email(), stated: self.rules.keptClaims.stated(in: self.claims))
  }

  /// What a token says of itself, whoever it is about: by whom, for whom, and when.
  func envelope(isEndless: Bool = false) throws(TokenRefusal) -> (audiences: [String], expires: Double?) {
    if self.form == .signed || !self.rules.issuer.isEmpty {
      guard self.claims["iss"]?.string.map({ Self.isSame($0, self.rules.issuer) }) == true else {
        throw TokenRefusal("iss is not the issuer's")
      }
    }
    return (try self.audiences(), try self.times(isEndless: isEndless))
  }

  private func email() -> String? {
    guard let email = self.claims["email"]?.string, !email.isEmpty, email.utf8.count <= NameRules.longestName else { return nil }
    return self.claims["email_verified"].map { $0.bool == true } ?? true ? email : nil
  }

  private func subject() throws(TokenRefusal) -> String? {
    if self.form == .introspected, self.claims["sub"] == nil { return nil }
    guard let subject = self.claims["sub"]?.string, !subject.isEmpty else { throw TokenRefusal("sub is missing") }
    return subject
  }

  // MARK: - What a token is for

  private func audiences() throws(TokenRefusal) -> [String] {
    let isAnyAccepted = self.form == .introspected && self.rules.audiences.isEmpty
    if isAnyAccepted, self.claims["aud"] == nil { return [] }
    guard let audiences = self.claims["aud"].flatMap({ value in value.string.map { [$0] } ?? value.strings }) else {
      throw TokenRefusal("aud is missing or no string or list of strings")
    }
    guard isAnyAccepted || audiences.contains(where: { audience in self.rules.audiences.contains { Self.isSame($0, audience) } }) else {
      throw TokenRefusal("aud names none of the accepted audiences")
    }
    return audiences
  }

  /// A token for several audiences says by `azp` whom it was issued to, which must be us too.
  private func checkAuthorizedParty(_ audiences: [String]) throws(TokenRefusal) {
    guard let party = self.claims["azp"] else { return }
    guard let party = party.string else { throw TokenRefusal("azp is no string") }
    // An access token is issued to a client and meant for a resource: azp is the client then, and aud alone decides. Only
    // an id_token for several audiences needs azp to say which of them may use it.
    guard self.form == .signed, audiences.count > 1, self.claims["nonce"] != nil || self.claims["at_hash"] != nil else { return }
    guard self.rules.audiences.contains(where: { Self.isSame($0, party) }) else {
      throw TokenRefusal("azp is none of the accepted audiences")
    }
  }

  // MARK: - When

  /// - Returns: `exp`
  /// - Parameter isEndless: whether there may be no `exp`
  private func times(isEndless: Bool) throws(TokenRefusal) -> Double? {
    let expires = try self.time("exp")
    guard expires != nil || isEndless || self.form == .introspected else { throw TokenRefusal("exp is missing") }
    if let expires, self.now >= expires + Self.leeway { throw TokenRefusal("the token has expired") }
    if let notBefore = try self.time("nbf"), self.now < notBefore - Self.leeway { throw TokenRefusal("the token is not valid yet (nbf)") }
    if let issued = try self.time("iat"), self.now < issued - Self.leeway { throw TokenRefusal("the token is issued in the future (iat)") }
    return expires
  }

  func time(_ name: String) throws(TokenRefusal) -> Double? {
    let seconds: Double
    switch self.claims[name] {
    case nil: return nil
    case .integer(let value): seconds = Double(value)
    case .number(let value): seconds = value
    default: throw TokenRefusal("\(name) is no number")
    }
    guard seconds >= 0, seconds <= Self.latestTime else { throw TokenRefusal("\(name) is no time") }
    return seconds
  }

  // MARK: - Who

  private func username() throws(TokenRefusal) -> String {
    let mapping = self.rules.username
    guard let name = mapping.claim.value(in: self.claims)?.string, !name.isEmpty else {
      throw TokenRefusal("the user name's claim \(mapping.claim) is missing or no string")
    }
    // kube-apiserver does the same: an address that nobody has verified can be anybody's.
    if mapping.claim.description == "email", let verified = self.claims["email_verified"], verified.bool != true {
      throw TokenRefusal("email_verified is not true")
    }
    return mapping.prefix + name
  }

  func groups() throws(TokenRefusal) -> [String] {
    guard let mapping = self.rules.groups else { return [] }
    guard let value = mapping.claim.value(in: self.claims) else {
      // Whose groups are too many for a token gets a link to them. To take that for no groups would be wrong silently.
      if self.hasGroupOverage(mapping.claim) {
        throw TokenRefusal("the groups are too many for the token (_claim_names, hasgroups): have the provider send fewer")
      }
      return []
    }
    guard let names = value.string.map({ [$0] }) ?? value.strings else {
      throw TokenRefusal("the groups' claim \(mapping.claim) is no string or list of strings")
    }
    return names.map { mapping.prefix + $0 }
  }

  private func hasGroupOverage(_ claim: ClaimPath) -> Bool {
    self.claims["hasgroups"] == .bool(true) || self.claims["_claim_names"]?[claim.description] != nil
  }

  private func uid() throws(TokenRefusal) -> String? {
    guard let claim = self.rules.uid else { return nil }
    if self.rules.isUIDOptional, claim.value(in: self.claims) == nil { return nil }
    guard let uid = claim.value(in: self.claims)?.string, !uid.isEmpty else {
      throw TokenRefusal("the uid's claim \(claim) is missing or no string")
    }
    return uid
  }

  private func extra() throws(TokenRefusal) -> [TokenFacts.Extra] {
    var extra: [TokenFacts.Extra] = []
    for mapping in self.rules.extra {
      guard let value = mapping.claim.value(in: self.claims) else { continue }
      guard let values = value.string.map({ [$0] }) ?? value.strings else {
        throw TokenRefusal("the claim \(mapping.claim) is no string or list of strings")
      }
      if !values.isEmpty { extra.append(TokenFacts.Extra(key: mapping.key, values: values)) }
    }
    return extra
  }

  // MARK: - Scopes

  /// `scope`, a text with blanks between them (RFC 8693 section 4.2), or `scp`, a text or a list, as some providers have it.
  private func scopes() throws(TokenRefusal) -> [String] {
    guard let value = self.claims["scope"] ?? self.claims["scp"] else { return [] }
    if let text = value.string { return text.split(separator: " ").map(String.init) }
    guard let scopes = value.strings else { throw TokenRefusal("scope is no string or list of strings") }
    return scopes
  }

  /// By bytes: Swift's `==` sees through Unicode normalisation, and no other reader of the token does.
  private static func isSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}
