import Crypto
import Foundation
@_spi(Authenticator) import SallyportCore
import SallyportIssuer
import SallyportJOSE
import SallyportJSON
import Testing

/// The tokens of the issuer, read and verified by what verifies those of others.
@Suite struct IssuerTests {
  private static let now = Date(timeIntervalSince1970: 1_800_000_000.75)
  private static let url = "https://gateway.example.org:8443/.sallyport"

  private func issuer(_ algorithm: SigningKey.Algorithm = .es256) throws -> Issuer {
    Issuer(url: Self.url, keys: KeyRing([.init(try SigningKey(algorithm), begins: .distantPast)], tokenLifetime: 300))
  }

  private func read(_ token: Issuer.Token) throws -> SignedToken { try token.text.withBytes { try SignedToken($0) } }

  @Test(arguments: SigningKey.Algorithm.allCases)
  func aTokenIsVerifiedByThePublishedKey(_ algorithm: SigningKey.Algorithm) throws {
    let issuer = try self.issuer(algorithm)
    let identity = Identity(username: "alice", uid: "7", groups: ["dev", "ä \"b\""], method: .clientCertificate)
    let token = try issuer.token(for: identity, audience: "kubernetes", email: "alice@example.org", at: Self.now)
    let signed = try self.read(token)
    let document = try JSONReader.read(issuer.keySet(at: Self.now))
    let keys = try KeySet(document)
    #expect(keys.unusable.isEmpty)
    let candidates = keys.candidates(for: signed.keyID, signed.algorithm)
    #expect(signed.algorithm.rawValue == algorithm.rawValue && candidates.count == 1)
    #expect(candidates.contains { signed.isSigned(by: $0) })
    // Nothing of the private half is published.
    let members = try #require(document["keys"]?.array?.first?.object)
    #expect(Set(members.keys).isSubset(of: ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"]))
    #expect(
      try JSONValue.object(signed.claims)
        == JSONReader.read(
          Array(
            #"""
            {"iss":"\#(Self.url)","sub":"alice","aud":"kubernetes","exp":1800000300,"nbf":1799999970,"iat":1800000000,"jti":"\#(token.id)",
             "auth_time":1800000000,"amr":["pop"],"groups":["dev","ä \"b\""],"preferred_username":"alice","email":"alice@example.org","uid":"7"}
            """#.utf8)))
    #expect(token.id.utf8.count == 32)
    #expect(try issuer.token(for: identity, audience: "kubernetes", email: nil, at: Self.now).id != token.id)
  }

  /// RFC 7638: the hash of the required members in their order.
  @Test func aKeyIsNamedByItsThumbprint() throws {
    let key = try SigningKey(.es256)
    func text(_ name: String) -> String { key.publicEntry[name]?.string ?? "" }
    let canonical = #"{"crv":"P-256","kty":"EC","x":"\#(text("x"))","y":"\#(text("y"))"}"#
    #expect(key.id == Base64URL.encode(Array(SHA256.hash(data: Data(canonical.utf8)))))
    #expect(try SigningKey(pem: key.pem).id == key.id)
    let rsa = try SigningKey(.rs256)
    let members = #"{"e":"\#(rsa.publicEntry["e"]?.string ?? "")","kty":"RSA","n":"\#(rsa.publicEntry["n"]?.string ?? "")"}"#
    #expect(rsa.id == Base64URL.encode(Array(SHA256.hash(data: Data(members.utf8)))))
    #expect(try SigningKey(pem: rsa.pem).id == rsa.id)
  }

  @Test func aTokenNeverOutlivesWhatProvedTheIdentity() throws {
    let issuer = try self.issuer()
    func token(_ ends: Double) throws -> Issuer.Token {
      let expires = Self.now.addingTimeInterval(ends)
      let identity = Identity(
        username: "alice", groups: [], method: .jwt, expires: expires.addingTimeInterval(30),
        token: .init(
          issuer: "https://idp.example.org", audiences: [], scopes: [], expires: expires,
          authenticated: Date(timeIntervalSince1970: 1_700_000_000), methods: ["otp", "pwd"], email: "a@example.org"))
      return try issuer.token(for: identity, audience: "kubernetes", email: nil, at: Self.now)
    }
    for ends in stride(from: 2.5, through: 400, by: 0.5) {
      let made = try token(ends)
      let exp = try #require(try self.read(made).claims["exp"]?.integer)
      #expect(Double(exp) <= Self.now.timeIntervalSince1970 + min(ends, 300))
      #expect(made.endsWithProof == (ends < 299.25 + 0.5) || abs(ends - 299.25) < 1)
    }
    // What the token says of the sign-in is handed on.
    let claims = try self.read(try token(100)).claims
    #expect(claims["auth_time"] == .integer(1_700_000_000) && claims["amr"]?.strings == ["otp", "pwd"])
    #expect(claims["email"]?.string == "a@example.org")
    for ended in [1.0, 0, -10] {
      #expect(throws: Problem.proofEnds) { try token(ended) }
    }
  }

  @Test func aDirectorysPasswordIsAPasswordAndATokenThatSaysNothingSaysNothing() throws {
    let issuer = try self.issuer()
    let claims = try self.read(
      issuer.token(for: Identity(username: "bob", groups: [], method: .ldap), audience: "a", email: nil, at: Self.now)
    ).claims
    #expect(claims["amr"]?.strings == ["pwd"] && claims["email"] == nil && claims["uid"] == nil && claims["groups"] == .array([]))
    let silent = try self.read(
      issuer.token(for: Identity(username: "bob", groups: [], method: .introspection), audience: "a", email: nil, at: Self.now)
    ).claims
    #expect(silent["amr"] == nil && silent["auth_time"] == nil)
  }

  @Test func theDiscoveryDocumentLeadsToTheKeys() throws {
    let document = try JSONReader.read(try self.issuer().discoveryDocument(at: Self.now))
    #expect(document["issuer"]?.string == Self.url)
    #expect(document["jwks_uri"]?.string == Self.url + "/keys")
    #expect(document["id_token_signing_alg_values_supported"]?.strings == ["ES256"])
  }
}
