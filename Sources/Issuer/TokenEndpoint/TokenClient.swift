/// Somebody who may ask for tokens, and which.
public struct TokenClient: Sendable, Equatable {
  /// By what the client proves itself.
  public enum Authentication: Sendable, Equatable {
    /// By nothing: a program in the hands of its users (RFC 6749 section 2.1). What it gets is theirs.
    case none(Public)
    /// By its name and its secret (`client_secret_basic`).
    case secret
    /// By a certificate that names this user (`tls_client_auth`, RFC 8705 section 2.1).
    case certificate(username: String)
  }

  /// By what the users of a public client may sign in.
  public struct Public: Sendable, Equatable {
    public var password: Bool
    public var clientCertificate: Bool

    public init(password: Bool, clientCertificate: Bool) {
      self.password = password
      self.clientCertificate = clientCertificate
    }
  }

  public let id: String
  public let authentication: Authentication
  /// Whom its tokens may be for.
  public let audiences: [String]
  /// What they may say at most; not more than the token that is exchanged says.
  public let scopes: [String]

  public init(id: String, authentication: Authentication, audiences: [String], scopes: [String]) {
    self.id = id
    self.authentication = authentication
    self.audiences = audiences
    self.scopes = scopes
  }
}
