import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// A cluster that is asked about tokens (`TokenReview`).
  public struct TokenReview: Sendable, Equatable {
    /// The name of an upstream of kind `kubernetes`.
    public let upstream: String
    /// Empty for the API server's own.
    public let audiences: [String]
    public let timeout: Duration
  }
}

extension GatewayConfiguration.Authentication.TokenReview {
  init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      let upstream = keys.required("upstream")?.name()
      let audiences = keys.optional("audiences").map { $0.list(atLeast: 1) { $0.text() } } ?? []
      let timeout = keys.optional("timeout").map { $0.duration(in: .milliseconds(100)...(.seconds(60))) } ?? .seconds(5)
      guard let upstream, let audiences, let timeout else { return nil }
      return Self(upstream: upstream, audiences: audiences, timeout: timeout)
    }
    guard let value else { return nil }
    self = value
  }
}
