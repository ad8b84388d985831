import Foundation
@_spi(Authenticator) import SallyportCore
import SallyportIssuer
import Testing

/// What the token endpoint reads in a form, and what it makes of it.
@Suite struct TokenRequestTests {
  private static let exchange = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
  private static let subject = "subject_token=a.b&subject_token_type=urn:ietf:params:oauth:token-type:access_token"

  private func request(_ form: String) throws(TokenError) -> TokenRequest { try TokenRequest(form: form.utf8) }

  @Test func aRequestForAnExchangeIsRead() throws {
    let request = try self.request(
      "\(Self.exchange)&\(Self.subject)&client_id=reports&audience=b%C3%BCro+1&scope=read+write&unknown=1&empty="
        + "&requested_token_type=urn:ietf:params:oauth:token-type:jwt")
    guard case .exchange(let token) = request.grant else {
      Issue.record("no exchange")
      return
    }
    #expect(token == Secret("a.b".utf8))
    #expect(request.clientID == "reports" && request.audience == "büro 1" && request.scopes == ["read", "write"])
    #expect(request.issuedType == .jwt)
    let short = try self.request("grant_type=client_credentials&client_id=kubectl&scope=")
    #expect(short.clientID == "kubectl" && short.audience == nil && short.scopes == nil && short.issuedType == .idToken)
    guard case .signIn = short.grant else {
      Issue.record("no sign-in")
      return
    }
  }

  @Test(arguments: [
    ("", TokenError.Code.invalidRequest), ("grant_type", .invalidRequest), ("grant_type=", .invalidRequest),
    ("grant_type=client_credentials&grant_type=client_credentials", .invalidRequest),
    ("grant_type=client_credentials&x=1&x=2", .invalidRequest), ("grant_type=client_credentials&x=&x=", .invalidRequest),
    ("grant_type=client_credentials&grant%5Ftype=password", .invalidRequest), ("grant_type=client_credentials&", .invalidRequest),
    ("grant_type=client_credentials&x=%0A", .invalidRequest), ("grant_type=client_credentials&x=%FF", .invalidRequest),
    ("grant_type=client_credentials&x=%4", .invalidRequest), ("grant_type=client_credentials&x=%zz", .invalidRequest),
    ("grant_type=client_credentials&client_secret=s", .invalidRequest), ("grant_type=client_credentials&password=s", .invalidRequest),
    ("grant_type=client_credentials&subject_token=s", .invalidRequest), ("grant_type=password", .unsupportedGrantType),
    ("grant_type=authorization_code", .unsupportedGrantType), ("grant_type=client_credentials&resource=https://x", .invalidTarget),
    ("grant_type=client_credentials&actor_token=x", .invalidRequest), ("grant_type=client_credentials&scope=a++b", .invalidScope),
    ("grant_type=client_credentials&scope=a+a", .invalidScope), ("grant_type=client_credentials&scope=%22", .invalidScope),
    (
      "grant_type=client_credentials&requested_token_type=urn:ietf:params:oauth:token-type:saml2", .invalidRequest
    ),
    ("\(Self.exchange)&subject_token=a", .invalidRequest),
    ("\(Self.exchange)&subject_token_type=urn:ietf:params:oauth:token-type:jwt", .invalidRequest),
    ("\(Self.exchange)&subject_token=a&subject_token_type=urn:ietf:params:oauth:token-type:refresh_token", .invalidRequest),
  ]) func whatIsNotExactlyARequestIsRefused(form: String, code: TokenError.Code) {
    #expect { try self.request(form) } throws: { ($0 as? TokenError)?.code == code }
  }

  @Test func noRefusalRepeatsWhatWasSent() {
    for form in ["grant_type=s3cret", "grant_type=client_credentials&client_secret=s3cret", "\(Self.exchange)&subject_token=s3cret"] {
      #expect { try self.request(form) } throws: { !"\($0)".contains("s3cret") }
    }
  }

  // MARK: - Grants

  private static let client = TokenClient(
    id: "reports", authentication: .secret, audiences: ["sallyport", "reports"], scopes: ["read", "write"])

  private func grant(_ form: String, of token: Identity.TokenClaims?) throws(TokenError) -> TokenGrant {
    let identity = Identity(username: "alice", groups: [], method: token == nil ? .passwordFile : .jwt, token: token)
    let request = try self.request("grant_type=client_credentials" + form)
    return try TokenGrant(request, to: Self.client, for: identity, usualAudience: "sallyport")
  }

  private func token(_ scopes: [String], cluster: String? = nil, isEndless: Bool = false) -> Identity.TokenClaims {
    .init(
      issuer: "https://idp", audiences: ["kubernetes"], scopes: scopes, expires: isEndless ? nil : .distantFuture, cluster: cluster)
  }

  @Test func whatHasNoEndIsNotExchanged() throws {
    #expect(try self.grant("", of: self.token(["read"])).scopes == ["read"])
    #expect { try self.grant("", of: self.token(["read"], isEndless: true)) } throws: { ($0 as? TokenError)?.code == .invalidRequest }
  }

  @Test func scopesOnlyBecomeFewer() throws {
    // Who signs in gets what the client may have; a token gives what it has itself.
    #expect(try self.grant("", of: nil).scopes == ["read", "write"])
    #expect(try self.grant("&scope=write", of: nil).scopes == ["write"])
    #expect(try self.grant("", of: self.token(["write", "admin"])).scopes == ["write"])
    #expect(try self.grant("", of: self.token([])).scopes == [])
    for (scope, token) in [("admin", nil), ("admin", ["admin"]), ("read", ["write"]), ("read", []), ("read+write", ["read"])]
      as [(String, [String]?)]
    {
      #expect { try self.grant("&scope=\(scope)", of: token.map { self.token($0) }) } throws: { ($0 as? TokenError)?.code == .invalidScope }
    }
  }

  @Test func onlyListedAudiencesAreGranted() throws {
    #expect(try self.grant("", of: nil).audience == "sallyport")
    #expect(try self.grant("&audience=reports", of: nil).audience == "reports")
    for audience in ["kubernetes", "Reports", "reports+", "https://x"] {
      #expect { try self.grant("&audience=\(audience)", of: nil) } throws: { ($0 as? TokenError)?.code == .invalidTarget }
    }
  }

  @Test func aClustersOwnTokenIsNotExchanged() {
    #expect { try self.grant("", of: self.token([], cluster: "kubernetes")) } throws: { ($0 as? TokenError)?.code == .invalidRequest }
  }
}
