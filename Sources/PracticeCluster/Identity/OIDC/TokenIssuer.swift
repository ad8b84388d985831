extension PracticeCluster {
  /// Somebody whose id_tokens the server believes, as `--oidc-*` or an AuthenticationConfiguration names one.
  public struct TokenIssuer: Sendable {
    /// `--oidc-issuer-url`: `iss` of every token, byte for byte; its keys are found below it, over HTTPS.
    public var url: String
    /// `--oidc-client-id`: one of them must be in `aud`.
    public var audiences: [String]
    /// `--oidc-ca-file`: PEM.
    public var certificateAuthority: String
    /// `--oidc-signing-algs`
    public var algorithms: Set<String> = ["RS256", "ES256"]
    /// `--oidc-username-claim`, with the prefix `-`, which is none.
    public var usernameClaim = "sub"
    /// `--oidc-groups-claim`
    public var groupsClaim = "groups"

    public init(url: String, audiences: [String], certificateAuthority: String) {
      self.url = url
      self.audiences = audiences
      self.certificateAuthority = certificateAuthority
    }
  }
}
