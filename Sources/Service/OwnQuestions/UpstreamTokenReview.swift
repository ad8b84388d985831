import NIOCore
import SallyportAuthentication
import SallyportCore
import SallyportCredential
import SallyportUpstream
import SallyportWire

/// Asks an upstream about tokens, as an identity of the gateway's own.
///
/// It needs the cluster role `system:auth-delegator`, to be granted to the group ``group``.
struct UpstreamTokenReview: TokenReviewTransport {
  static let username = "sallyport"
  static let group = "sallyport:token-review"
  private static let target = "/apis/authentication.k8s.io/v1/tokenreviews"
  /// A review is a page at the most: names, groups, and what an admission chain wrote to it.
  private static let mostBytes = 1024 * 1024

  private let question: UpstreamQuestion
  private let timeout: Duration

  /// - Returns: `nil` only where the gateway's own name is nobody's to be
  init?(upstream: Upstream, credential: CredentialSource, timeout: Duration, eventLoop: any EventLoop) {
    guard let identity = Identity.ownIdentity(username: Self.username, groups: [Self.group]) else { return nil }
    self.question = UpstreamQuestion(upstream: upstream, credential: credential, identity: identity, eventLoop: eventLoop)
    self.timeout = timeout
  }

  func review(_ document: Secret) async throws(Problem) -> [UInt8] {
    var fields = HeaderFields()
    do {
      try fields.append("Accept", "application/json")
      try fields.append("Content-Type", "application/json")
      try fields.append("User-Agent", "sallyport/token-review")
    } catch {
      throw .tokenReviewFailed.with(detail: "\(error)")
    }
    let answer = try await self.question.answer(
      to: .post, Self.target, fields, body: document.withBytes { ByteBuffer(bytes: $0) }, atMost: Self.mostBytes, within: self.timeout,
      .init(failed: .tokenReviewFailed, timeout: .tokenReviewTimeout, tooLarge: .tokenReviewTooLarge))
    // An API server answers 201, for it has created a review; 200 is as good a word.
    guard answer.status == 201 || answer.status == 200 else {
      throw .tokenReviewFailed.with(detail: "the upstream answers with status \(answer.status)")
    }
    return answer.body
  }
}

extension Problem {
  static let tokenReviewFailed = Problem(
    "tokenReviewFailed", blame: .upstream, status: 503, message: "The upstream could not be asked about the token.")
  static let tokenReviewTimeout = Problem(
    "tokenReviewTimeout", blame: .upstream, status: 503, message: "The upstream did not say in time whose the token is.")
  static let tokenReviewTooLarge = Problem(
    "tokenReviewTooLarge", blame: .upstream, status: 503, message: "What the upstream says of the token is larger than is read.")
}
