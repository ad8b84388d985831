/// A way to sign a token by a key pair (RFC 7518 section 3.1, RFC 8037 section 3.1), as the `alg` header names it.
///
/// There is no `none`, and no HMAC: a verifier of an identity provider's tokens has public keys alone, and a public key
/// that is taken for an HMAC secret is the classic forgery (RFC 8725 section 2.1).
public enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
  case rs256 = "RS256"
  case rs384 = "RS384"
  case rs512 = "RS512"
  case ps256 = "PS256"
  case ps384 = "PS384"
  case ps512 = "PS512"
  case es256 = "ES256"
  case es384 = "ES384"
  case es512 = "ES512"
  case edDSA = "EdDSA"
}
