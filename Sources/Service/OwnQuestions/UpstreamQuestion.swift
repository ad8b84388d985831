import NIOCore
import SallyportAudit
import SallyportCore
import SallyportCredential
import SallyportUpstream
import SallyportWire

/// One of the gateway's own questions to an API server, through the upstream's station and over its connections, as an
/// identity of the gateway's own.
///
/// The request walks the proofs like any other: stripped, authenticated (as the gateway), permitted, credentialed. Policy is
/// not asked, since no client is behind it, and no audit record is written; the API server's own log has it, under an
/// `Audit-ID` of ours.
struct UpstreamQuestion: Sendable {
  let upstream: Upstream
  let credential: CredentialSource
  let identity: Identity
  /// One of the group that the upstream was made for.
  let eventLoop: any EventLoop
  /// Whether the question is asked as ``identity`` even where the gateway could ask as itself: to see what users would see.
  var asUser = false

  struct Answer: Sendable {
    let status: Int
    /// The `ETag` field's value; empty where there is none.
    let etag: String
    /// The `Date` field's value; empty where there is none.
    let date: String
    let body: [UInt8]
  }

  /// What is thrown where there is no whole answer.
  struct Problems: Sendable {
    let failed: Problem
    let timeout: Problem
    let tooLarge: Problem
  }

  /// Asks, and gives the whole answer.
  ///
  /// - Parameters:
  ///   - body: sent as it is; its length is stated
  ///   - limit: the most bytes of the answer's body
  ///   - timeout: how long the whole may take
  func answer(
    to method: Method, _ target: String, _ fields: HeaderFields, body: ByteBuffer? = nil, atMost limit: Int, within timeout: Duration,
    _ problems: Problems
  ) async throws(Problem) -> Answer {
    let request = try self.request(method, target, fields, body, problems)
    let upstream = self.upstream
    let eventLoop = self.eventLoop
    let timeout = TimeAmount(timeout)
    do {
      return try await eventLoop.flatSubmit {
        UpstreamQuestionExchange.begin(request, body: body, to: upstream, limit: limit, timeout: timeout, problems, on: eventLoop)
      }.get()
    } catch let problem as Problem {
      throw problem
    } catch {
      throw problems.failed.with(detail: "\(target): \(error)")
    }
  }

  private func request(
    _ method: Method, _ target: String, _ fields: HeaderFields, _ body: ByteBuffer?, _ problems: Problems
  ) throws(Problem) -> CredentialedRequest {
    do {
      let head = RequestHead(
        method: method, target: try RequestTarget(reading: ByteBuffer(string: target), for: method), fields: fields,
        framing: body.map { .length(UInt64($0.readableBytes)) } ?? .none)
      let stripped = try StrippedRequest(stripping: head, fromTrustedPeer: false)
      let subject = Subject.identity(self.identity)
      let authenticated = AuthenticatedRequest(stripped, reading: try RequestReading(stripped, as: .kubernetes), subject: subject)
      guard let permitted = PermittedRequest(authenticated, .allow(rule: nil)) else { throw problems.failed }
      return try CredentialedRequest(permitted, credential: self.shown(with: authenticated, problems))
    } catch let problem as Problem {
      throw problem
    } catch {
      throw problems.failed.with(detail: "\(target): \(error)")
    }
  }
}

extension UpstreamQuestion {
  /// What the upstream is shown with a question.
  private func shown(with request: AuthenticatedRequest, _ problems: Problems) throws(Problem) -> UpstreamCredential {
    guard self.asUser else { return try self.credential.ownCredential(of: self.identity) }
    let answer = try self.credential.credential(for: request, on: nil, memory: nil, eventLoop: self.eventLoop)
    guard case .now(let credential) = answer else { throw problems.failed }
    return credential
  }
}

/// One question and its answer, gathered on an event loop.
private final class UpstreamQuestionExchange: UpstreamStreamDelegate {
  private let promise: EventLoopPromise<UpstreamQuestion.Answer>
  private let limit: Int
  private let problems: UpstreamQuestion.Problems
  private var stream: (any UpstreamStream)?
  private var status = 0
  private var etag = ""
  private var date = ""
  private var body: [UInt8] = []
  private var isOver = false

  private init(_ promise: EventLoopPromise<UpstreamQuestion.Answer>, limit: Int, _ problems: UpstreamQuestion.Problems) {
    self.promise = promise
    self.limit = limit
    self.problems = problems
  }

  static func begin(
    _ request: CredentialedRequest, body: ByteBuffer?, to upstream: Upstream, limit: Int, timeout: TimeAmount,
    _ problems: UpstreamQuestion.Problems, on eventLoop: any EventLoop
  ) -> EventLoopFuture<UpstreamQuestion.Answer> {
    let exchange = UpstreamQuestionExchange(eventLoop.makePromise(), limit: limit, problems)
    let stream = upstream.send(request, auditID: AuditID().description, delegate: exchange, eventLoop: eventLoop)
    exchange.stream = stream
    if let body { stream.sendBody(body) }
    stream.sendEnd(trailers: HeaderFields())
    let timer = eventLoop.assumeIsolated().scheduleTask(in: timeout) { exchange.giveUp(problems.timeout) }
    exchange.promise.futureResult.whenComplete { _ in timer.cancel() }
    return exchange.promise.futureResult
  }

  private func giveUp(_ problem: Problem) {
    guard !self.isOver else { return }
    self.stream?.cancel()
    self.end(.failure(problem))
  }

  private func end(_ result: Result<UpstreamQuestion.Answer, Problem>) {
    guard !self.isOver else { return }
    self.isOver = true
    self.stream = nil
    self.promise.completeWith(result.mapError { $0 as any Error })
  }

  func upstreamSentInformational(_ head: ResponseHead) {}

  func upstreamSentHead(_ head: ResponseHead) {
    self.status = head.status
    self.etag = head.fields.first { $0.withName { name in name.elementsEqual("etag".utf8) { $0 | 0x20 == $1 } } }?.value ?? ""
    self.date = head.fields.first(.date)?.value ?? ""
    if let length = head.statedLength, length > UInt64(self.limit) { self.giveUp(self.problems.tooLarge) }
  }

  func upstreamSentBody(_ bytes: ByteBuffer) {
    guard !self.isOver else { return }
    guard self.body.count + bytes.readableBytes <= self.limit else { return self.giveUp(self.problems.tooLarge) }
    self.body.append(contentsOf: bytes.readableBytesView)
  }

  func upstreamSentEnd(trailers: HeaderFields) {
    self.end(.success(UpstreamQuestion.Answer(status: self.status, etag: self.etag, date: self.date, body: self.body)))
  }

  func upstreamReadComplete() {}
  func upstreamFlowChanged(paused: Bool) {}
  func upstreamFailed(_ problem: Problem) { self.end(.failure(problem)) }
}
