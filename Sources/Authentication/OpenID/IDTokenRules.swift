import Crypto
import SallyportCore
import SallyportJOSE
import SallyportJSON

/// What an id_token must say beyond what every signed token must (OpenID Connect Core sections 3.1.3.7 and 12.2).
struct IDTokenRules {
  enum Nonce {
    /// The one of this sign-in.
    case mustBe(Secret)
    /// A token that comes with a refresh has the same as the first, or none.
    case mayBe(Secret)
  }

  let clientID: String

  /// - Parameter accessToken: what came with the token
  /// - Throws: ``TokenRefusal`` with the first claim that is not as it must be
  func check(_ token: SignedToken, nonce: Nonce, accessToken: Secret?) throws(TokenRefusal) {
    let claims = token.claims
    guard claims["iat"] != nil else { throw TokenRefusal("iat is missing") }
    let stated = claims["nonce"]
    switch nonce {
    case .mustBe(let wanted):
      guard let stated = stated?.string, Secret(stated.utf8) == wanted else { throw TokenRefusal("nonce is not this sign-in's") }
    case .mayBe(let wanted):
      if let stated { guard let stated = stated.string, Secret(stated.utf8) == wanted else { throw TokenRefusal("nonce is another") } }
    }
    if let party = claims["azp"] {
      guard let party = party.string, party.utf8.elementsEqual(self.clientID.utf8) else { throw TokenRefusal("azp is not the client") }
    } else if (claims["aud"]?.array?.count ?? 1) > 1 {
      throw TokenRefusal("azp is missing, and the token is for several audiences")
    }
    if let hash = claims["at_hash"], let accessToken {
      guard let hash = hash.string, hash.utf8.elementsEqual(Self.hash(of: accessToken, for: token.algorithm).utf8) else {
        throw TokenRefusal("at_hash is not the access token's")
      }
    }
  }

  /// The left half of the hash that the signature's algorithm is of.
  static func hash(of accessToken: Secret, for algorithm: SignatureAlgorithm) -> String {
    let bytes = accessToken.withBytes { Array($0) }
    let digest: [UInt8] =
      switch algorithm {
      case .rs256, .ps256, .es256: Array(SHA256.hash(data: bytes))
      case .rs384, .ps384, .es384: Array(SHA384.hash(data: bytes))
      // Ed25519 has SHA-512 in it.
      case .rs512, .ps512, .es512, .edDSA: Array(SHA512.hash(data: bytes))
      }
    return Base64URL.encode(digest.prefix(digest.count / 2))
  }
}
