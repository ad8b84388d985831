@_spi(Authenticator) import SallyportCore

import struct Foundation.Date

/// Makes identities of what believed tokens say.
struct TokenIdentities: Sendable {
  let names: NameRules
  /// The upstream that vouches for them, where it is a cluster, who alone can vouch for its service accounts.
  var cluster: String?
  /// How long after its end a token is good, in seconds: as long as it was judged to be.
  var leeway = ClaimsReader.leeway

  /// - Parameters:
  ///   - verifier: what the token was judged by
  ///   - phantomToken: what an endpoint answered with that was asked about an opaque token, where that is signed
  /// - Throws: ``TokenRefusal`` for names that an identity may not have: a token is not taken in parts, because a group that
  ///   is left out may be the one that a deny rule names
  func identity(of facts: TokenFacts, from issuer: String, by method: AuthenticationMethod, verifier: [UInt8], phantomToken: Secret? = nil)
    throws(TokenRefusal) -> Identity
  {
    guard facts.extra.count <= NameRules.mostGroups else {
      throw TokenRefusal("the token has more than \(NameRules.mostGroups) extra attributes")
    }
    try self.check([facts.username], "the user name")
    try self.check(groups: facts.groups)
    let texts = (facts.uid.map { [$0] } ?? []) + facts.extra.flatMap(\.values)
    if let fault = texts.lazy.compactMap(NameRules.faultOfForm).first {
      throw TokenRefusal("the uid or an extra attribute \(fault.rawValue)")
    }
    var origin = [Identity.Fact("issuer", issuer)]
    if let subject = facts.subject { origin.append(Identity.Fact("subject", subject)) }
    if let tokenID = facts.tokenID { origin.append(Identity.Fact("jti", tokenID)) }
    if let sessionID = facts.sessionID { origin.append(Identity.Fact("sid", sessionID)) }
    return Identity(
      username: facts.username, uid: facts.uid, groups: facts.groups, extra: facts.extra.map { .init(key: $0.key, values: $0.values) },
      method: method, origin: origin, expires: facts.expires?.addingTimeInterval(self.leeway), verifier: verifier,
      token: .init(
        issuer: issuer, audiences: facts.audiences, scopes: facts.scopes, expires: facts.expires, authenticated: facts.authenticated,
        methods: facts.methods, email: facts.email, cluster: self.cluster, stated: facts.stated), phantomToken: phantomToken)
  }

  func check(groups: [String]) throws(TokenRefusal) {
    guard groups.count <= NameRules.mostGroups else { throw TokenRefusal("there are more than \(NameRules.mostGroups) groups") }
    try self.check(groups, "a group")
  }

  private func check(_ names: [String], _ what: String) throws(TokenRefusal) {
    for name in names {
      // Service accounts are the cluster's own: only the cluster vouches for them, whatever names are allowed here.
      let isServiceAccounts = name.utf8.starts(with: "system:serviceaccount".utf8)
      guard !isServiceAccounts || self.cluster != nil else { throw TokenRefusal("\(what) is a service account's") }
      if let fault = isServiceAccounts ? NameRules.faultOfForm(name) : self.names.fault(in: name) {
        throw TokenRefusal("\(what) \(fault.rawValue)")
      }
    }
  }
}
