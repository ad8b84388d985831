import NIOCore
import SallyportCore
import SallyportCredential
import SallyportUpstream
import SallyportWire

/// Asks an upstream for its API description, as an identity of the gateway's own.
struct UpstreamDiscovery: DiscoveryTransport {
  private let question: UpstreamQuestion

  var eventLoop: any EventLoop { self.question.eventLoop }

  init(upstream: Upstream, credential: CredentialSource, identity: Identity, eventLoop: any EventLoop) {
    self.question = UpstreamQuestion(upstream: upstream, credential: credential, identity: identity, eventLoop: eventLoop)
  }

  func get(
    _ target: String, ifNoneMatch etag: String, atMost limit: Int, within timeout: Duration
  ) async throws(Problem) -> DiscoveryAnswer {
    let fields: HeaderFields
    do {
      fields = try Self.fields(ifNoneMatch: etag)
    } catch {
      throw .discoveryFailed.with(detail: "\(target): \(error)")
    }
    let answer = try await self.question.answer(
      to: .get, target, fields, atMost: limit, within: timeout,
      .init(failed: .discoveryFailed, timeout: .discoveryTimeout, tooLarge: .discoveryTooLarge))
    return DiscoveryAnswer(status: answer.status, etag: answer.etag, body: answer.body)
  }

  private static func fields(ifNoneMatch etag: String) throws -> HeaderFields {
    var fields = HeaderFields()
    try fields.append("Accept", "application/json")
    try fields.append("User-Agent", "sallyport/openapi")
    if !etag.isEmpty { try fields.append("If-None-Match", etag) }
    return fields
  }
}

extension Problem {
  static let discoveryFailed = Problem(
    "discoveryFailed", blame: .ourselves, status: 500, message: "The upstream's API description could not be asked for.")
  static let discoveryTimeout = Problem(
    "discoveryTimeout", blame: .upstream, status: 504, message: "The upstream did not send its API description in time.")
  static let discoveryTooLarge = Problem(
    "discoveryTooLarge", blame: .upstream, status: 502, message: "The upstream's API description is larger than is read.")
}
