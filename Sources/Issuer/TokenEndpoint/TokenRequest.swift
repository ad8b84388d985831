public import SallyportCore

/// What a client asks the token endpoint for.
public struct TokenRequest: Sendable {
  public enum Grant: Sendable {
    /// A token for the one that a token stands for (RFC 8693).
    case exchange(subjectToken: Secret)
    /// A token for whoever authenticates the request (RFC 6749 section 4.4).
    case signIn
  }

  /// The forms of a token that are taken and given (RFC 8693 section 3). All that is given is one signed token, which is good
  /// as each of them.
  public enum TokenType: String, Sendable, CaseIterable {
    case idToken = "urn:ietf:params:oauth:token-type:id_token"
    /// Opaque ones come as this.
    case accessToken = "urn:ietf:params:oauth:token-type:access_token"
    case jwt = "urn:ietf:params:oauth:token-type:jwt"
  }

  public static let exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
  public static let signInGrant = "client_credentials"

  public let grant: Grant
  /// `nil` where the client says who it is by its credentials alone.
  public let clientID: String?
  /// `nil` for the usual one.
  public let audience: String?
  /// `nil` for as much as may be.
  public let scopes: [String]?
  public let issuedType: TokenType

  /// Reads the body of a request.
  ///
  /// - Throws: ``TokenError`` for a form that is no form, has a field twice or one that would be ignored although it matters
  public init(form bytes: some Collection<UInt8>) throws(TokenError) {
    let form = try TokenForm(bytes)
    guard let grantType = form["grant_type"] else { throw TokenError(.invalidRequest, "grant_type is missing.") }
    // Secrets have one place, where they are counted and never logged.
    for name in ["client_secret", "password", "client_assertion"] where form[name] != nil {
      throw TokenError(.invalidRequest, "\(name) is not taken in the form; authenticate by the Authorization header.")
    }
    switch grantType {
    case Self.exchangeGrant: self.grant = .exchange(subjectToken: try Self.subjectToken(form))
    case Self.signInGrant:
      guard form["subject_token"] == nil else { throw TokenError(.invalidRequest, "subject_token is for the token exchange.") }
      self.grant = .signIn
    default: throw TokenError(.unsupportedGrantType, "grant_type must be \(Self.exchangeGrant) or \(Self.signInGrant).")
    }
    // Whoever acts for somebody else is no part of what is issued: to leave it out silently would hide it.
    guard form["actor_token"] == nil, form["actor_token_type"] == nil else {
      throw TokenError(.invalidRequest, "actor_token is not supported.")
    }
    guard form["resource"] == nil else { throw TokenError(.invalidTarget, "resource is not supported; write audience.") }
    let asked = form["requested_token_type"].map { TokenType(rawValue: $0) } ?? .idToken
    guard let asked else { throw TokenError(.invalidRequest, "requested_token_type must be an id_token, a jwt or an access_token.") }
    self.issuedType = asked
    self.clientID = form["client_id"]
    self.audience = form["audience"]
    self.scopes = try form["scope"].map(Self.scopes)
  }

  private static func subjectToken(_ form: TokenForm) throws(TokenError) -> Secret {
    guard let token = form["subject_token"] else { throw TokenError(.invalidRequest, "subject_token is missing.") }
    guard let type = form["subject_token_type"] else { throw TokenError(.invalidRequest, "subject_token_type is missing.") }
    guard TokenType(rawValue: type) != nil else {
      throw TokenError(.invalidRequest, "subject_token_type must be an id_token, a jwt or an access_token.")
    }
    return Secret(token.utf8)
  }

  /// `scope = scope-token *( SP scope-token )`, `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 section 3.3)
  private static func scopes(_ text: String) throws(TokenError) -> [String] {
    let scopes = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard scopes.allSatisfy(Self.isScope), Set(scopes).count == scopes.count else {
      throw TokenError(.invalidScope, "scope is no list of different scopes with one blank between them.")
    }
    return scopes
  }

  /// Whether a text is one scope.
  public static func isScope(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }
}
