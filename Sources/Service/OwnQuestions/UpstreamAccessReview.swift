import NIOCore
import SallyportCore
import SallyportCredential
import SallyportJSON
import SallyportUpstream
import SallyportWire

/// Asks an upstream whether users may impersonate, as the gateway itself.
///
/// It needs the right to create `subjectaccessreviews.authorization.k8s.io`.
struct UpstreamAccessReview: ImpersonationReviewer {
  private static let target = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
  private static let mostBytes = 1024 * 1024
  private static let timeout = Duration.seconds(5)
  /// More values than anybody impersonates at once; each is a question.
  private static let mostDemands = 64

  private let question: UpstreamQuestion

  /// - Returns: `nil` only where the gateway's own name is nobody's to be
  init?(upstream: Upstream, credential: CredentialSource, identity: Identity?, eventLoop: any EventLoop) {
    guard let identity else { return nil }
    self.question = UpstreamQuestion(upstream: upstream, credential: credential, identity: identity, eventLoop: eventLoop)
  }

  func allows(_ demands: [ImpersonationDemand], to identity: Identity) async throws(Problem) -> Bool {
    guard demands.count <= Self.mostDemands else { return false }
    for demand in demands {
      guard try await self.allows(demand, to: identity) else { return false }
    }
    return true
  }

  private func allows(_ demand: ImpersonationDemand, to identity: Identity) async throws(Problem) -> Bool {
    var fields = HeaderFields()
    do {
      try fields.append("Accept", "application/json")
      try fields.append("Content-Type", "application/json")
      try fields.append("User-Agent", "sallyport/impersonation")
    } catch {
      throw .accessReviewFailed.with(detail: "\(error)")
    }
    let answer = try await self.question.answer(
      to: .post, Self.target, fields, body: ByteBuffer(bytes: JSONWriter.write(Self.document(demand, identity))), atMost: Self.mostBytes,
      within: Self.timeout, .init(failed: .accessReviewFailed, timeout: .accessReviewFailed, tooLarge: .accessReviewFailed))
    guard answer.status == 201 || answer.status == 200 else {
      throw .accessReviewFailed.with(
        detail: "the upstream answers a SubjectAccessReview with status \(answer.status); may the gateway's own user create "
          + "subjectaccessreviews.authorization.k8s.io?")
    }
    guard let status = (try? JSONReader.read(answer.body))?["status"]?.object else {
      throw .accessReviewFailed.with(detail: "the upstream's answer to a SubjectAccessReview cannot be read")
    }
    // Only the words themselves are a yes, and a denial outweighs them.
    return status["allowed"] == .bool(true) && (status["denied"] ?? .bool(false)) == .bool(false)
  }

  private static func document(_ demand: ImpersonationDemand, _ identity: Identity) -> JSONValue {
    var spec: [String: JSONValue] = [
      "user": .string(identity.username),
      // Every API server adds it to whoever is somebody.
      "groups": .array((identity.groups + ["system:authenticated"]).map { .string($0) }),
      "resourceAttributes": .object(
        [
          "verb": "impersonate", "group": demand.group, "version": "v1", "resource": demand.resource, "subresource": demand.subresource,
          "namespace": demand.namespace, "name": demand.name,
        ].mapValues { .string($0) }),
    ]
    if let uid = identity.uid { spec["uid"] = .string(uid) }
    if !identity.extra.isEmpty {
      spec["extra"] = .object(
        Dictionary(identity.extra.map { ($0.key, JSONValue.array($0.values.map { .string($0) })) }) { first, _ in first })
    }
    return .object([
      "apiVersion": .string("authorization.k8s.io/v1"), "kind": .string("SubjectAccessReview"), "spec": .object(spec),
    ])
  }
}

extension Problem {
  static let accessReviewFailed = Problem(
    "accessReviewFailed", blame: .upstream, status: 503, message: "The upstream could not be asked whether you may impersonate.")
}
