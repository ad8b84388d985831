import SallyportJOSE
import SallyportJSON

/// The claims of a signed token, for whoever got it from its issuer over TLS: the signature is for those to judge who get it
/// from somebody else (OpenID Connect Core section 3.1.3.7).
enum JWTClaims {
  /// - Returns: `nil` for what is no signed token
  static func read(_ token: String) -> JSONValue? {
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let bytes = Base64URL.decode(parts[1]) else { return nil }
    return try? JSONReader.read(bytes)
  }
}
