import Crypto
import CryptoExtras
import SallyportJSON
import Testing

@testable import SallyportJOSE

/// The gateway's own key, and what it signs (RFC 7523).
@Suite struct ClientAssertionKeyTests {
  private func fault(_ pem: String) -> String? {
    do throws(ClientAssertionKey.Fault) {
      _ = try ClientAssertionKey(pem: pem)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func theAlgorithmFollowsFromTheKey() throws {
    #expect(try ClientAssertionKey(pem: P256.Signing.PrivateKey().pemRepresentation).algorithm == .es256)
    #expect(try ClientAssertionKey(pem: P384.Signing.PrivateKey().pemRepresentation).algorithm == .es384)
    #expect(try ClientAssertionKey(pem: P521.Signing.PrivateKey().pemRepresentation).algorithm == .es512)
    #expect(try ClientAssertionKey(pem: _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation).algorithm == .rs256)
  }

  @Test func whatIsNoPrivateKeyIsRefusedAndNotQuoted() throws {
    let key = P256.Signing.PrivateKey()
    let body = key.pemRepresentation.split(separator: "\n")[1]
    for text in [
      "", "secret", key.publicKey.pemRepresentation, "-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n",
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\(body)\n-----END ENCRYPTED PRIVATE KEY-----\n",
      "-----BEGIN CERTIFICATE-----\n\(body)\n-----END CERTIFICATE-----\n",
    ] {
      let fault = self.fault(text)
      #expect(fault?.contains("no PEM private key") == true && fault?.contains("secret") == false, "\(text): \(fault ?? "taken")")
      #expect(fault?.contains(body) == false)
    }
    let weak = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).pemRepresentation
    #expect(self.fault(weak) == "its RSA key has less than 2048 bits")
  }

  @Test func anAssertionSaysWhoToWhomAndWhen() throws {
    let key = P256.Signing.PrivateKey()
    let text = try ClientAssertionKey(pem: key.pemRepresentation, keyID: "a\"b")
      .assertion(by: "the \"gateway\"\n", for: "https://idp.example.org", id: "j-1", at: 1_800_000_000, lifetime: 60)
    let token = try SignedToken(Array(text.utf8))
    #expect(token.keyID == "a\"b" && token.type == "jwt" && token.algorithm == .es256)
    #expect(
      token.claims == [
        "iss": .string("the \"gateway\"\n"), "sub": .string("the \"gateway\"\n"), "aud": .string("https://idp.example.org"),
        "jti": .string("j-1"), "iat": .integer(1_800_000_000), "exp": .integer(1_800_000_060),
      ])
    let input = text.split(separator: ".").prefix(2).joined(separator: ".")
    let signature = try #require(Base64URL.decode(text.split(separator: ".")[2].utf8))
    #expect(
      try key.publicKey.isValidSignature(
        P256.Signing.ECDSASignature(rawRepresentation: signature), for: SHA256.hash(data: Array(input.utf8))))
    // Without a name the header has none.
    let unnamed = try ClientAssertionKey(pem: key.pemRepresentation).assertion(by: "a", for: "b", id: "c", at: 0, lifetime: 1)
    #expect(try SignedToken(Array(unnamed.utf8)).keyID == nil)
  }
}
