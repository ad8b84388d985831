import SallyportCore

import struct Foundation.Date

/// What a believed token says of its bearer.
struct TokenFacts: Sendable, Hashable {
  var username: String
  var groups: [String]
  var uid: String?
  var extra: [Extra]
  var scopes: [String]
  var audiences: [String]
  /// `exp`; `nil` where an introspection answer has none.
  var expires: Date?
  /// `sub` and `jti`, for the audit record.
  var subject: String?
  var tokenID: String?
  /// `sid`, the provider's own session, for an id_token that begins one here.
  var sessionID: String?
  /// `auth_time`, `amr` and `email`, for tokens that are made of this one.
  var authenticated: Date?
  var methods: [String] = []
  var email: String?
  /// The claims that somebody wants to know, by their paths.
  var stated: [String: Identity.StatedClaim] = [:]

  struct Extra: Sendable, Hashable {
    var key: String
    var values: [String]
  }
}

/// Why a token is not believed, for the operator: names of claims and what is wrong with them, never the token.
struct TokenRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
