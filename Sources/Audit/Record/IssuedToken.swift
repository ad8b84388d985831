/// A token that a client was given: what the log has of it, and never the token itself.
public struct IssuedToken: Sendable, Hashable {
  public enum Act: String, Sendable {
    /// For another token (RFC 8693).
    case exchanged = "token exchanged"
    /// For a password or a certificate.
    case signedIn = "signed in"
  }

  public let act: Act
  /// `jti`
  public let id: String
  /// `aud`
  public let audience: String
  /// Who asked for it.
  public let client: String

  public init(_ act: Act, id: String, audience: String, client: String) {
    self.act = act
    self.id = id
    self.audience = audience
    self.client = client
  }
}
