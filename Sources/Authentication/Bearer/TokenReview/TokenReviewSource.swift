public import SallyportCore

/// A cluster that is asked about tokens: a service account's, or any other that its API server accepts.
public struct TokenReviewSource: Sendable {
  /// The upstream's name.
  public var upstream: String
  /// What makes it the cluster that it is: where it is reached, and by what it proves itself. What another one under the same
  /// name has said is not believed of this one.
  public var cluster: [String]
  /// One of them must be one that the token is for; empty: the API server's own.
  public var audiences: [String]
  public var transport: any TokenReviewTransport
  /// Claims of signed tokens that are kept with the identity; see ``TokenRules/keptClaims``.
  var keptClaims: [ClaimPath] = []

  public init(upstream: String, cluster: [String] = [], audiences: [String] = [], transport: any TokenReviewTransport) {
    self.upstream = upstream
    self.cluster = cluster
    self.audiences = audiences
    self.transport = transport
  }
}

/// Posts a `TokenReview` (authentication.k8s.io/v1) to an API server, in a bounded time.
public protocol TokenReviewTransport: Sendable {
  /// - Parameter document: the review, as JSON; it holds the token
  /// - Returns: the answer's body, of a status that says that there was a review
  /// - Throws: ``Problem`` where there is no whole answer, or another one
  func review(_ document: Secret) async throws(Problem) -> [UInt8]
}
