import NIOCore
import SallyportAudit
import SallyportCore
import SallyportCredential
import SallyportUpstream
import SallyportWire

/// Asks an upstream through its own station, over its own connections, as an identity of the gateway's own.
///
/// The request walks the proofs like any other: stripped, authenticated (as the gateway), permitted, credentialed. Policy is
/// not asked, since no client is behind it, and no audit record is written; the API server's own log has it, under an
/// `Audit-ID` of ours.
struct UpstreamDiscovery: DiscoveryTransport {
  let upstream: Upstream
  let credential: CredentialSource
  let identity: Identity
  let eventLoop: any EventLoop

  func get(
    _ target: String, ifNoneMatch etag: String, atMost limit: Int, within timeout: Duration
  ) async throws(Problem) -> DiscoveryAnswer {
    let request = try self.request(target, ifNoneMatch: etag)
    let upstream = self.upstream
    let eventLoop = self.eventLoop
    let timeout = TimeAmount(timeout)
    do {
      return try await eventLoop.flatSubmit {
        DiscoveryExchange.begin(request, to: upstream, limit: limit, timeout: timeout, on: eventLoop)
      }.get()
    } catch let problem as Problem {
      throw problem
    } catch {
      throw .discoveryFailed.with(detail: "\(target): \(error)")
    }
  }

  private func request(_ target: String, ifNoneMatch etag: String) throws(Problem) -> CredentialedRequest {
    do {
      var fields = HeaderFields()
      try fields.append("Accept", "application/json")
      try fields.append("User-Agent", "sallyport/openapi")
      if !etag.isEmpty { try fields.append("If-None-Match", etag) }
      let head = RequestHead(
        method: .get, target: try RequestTarget(reading: ByteBuffer(string: target), for: .get), fields: fields)
      let stripped = try StrippedRequest(stripping: head, fromTrustedPeer: false)
      let subject = Subject.identity(self.identity)
      let authenticated = AuthenticatedRequest(
        stripped, reading: try RequestReading(stripped, as: .kubernetes), subject: subject)
      guard let permitted = PermittedRequest(authenticated, .allow(rule: nil)) else { throw Problem.discoveryFailed }
      return try CredentialedRequest(permitted, credential: self.credential.credential(for: subject, impersonating: nil))
    } catch let problem as Problem {
      throw problem
    } catch {
      throw .discoveryFailed.with(detail: "\(target): \(error)")
    }
  }
}

/// One question and its answer, gathered on an event loop.
private final class DiscoveryExchange: UpstreamStreamDelegate {
  private let promise: EventLoopPromise<DiscoveryAnswer>
  private let limit: Int
  private var stream: (any UpstreamStream)?
  private var status = 0
  private var etag = ""
  private var body: [UInt8] = []
  private var isOver = false

  private init(_ promise: EventLoopPromise<DiscoveryAnswer>, limit: Int) {
    self.promise = promise
    self.limit = limit
  }

  static func begin(
    _ request: CredentialedRequest, to upstream: Upstream, limit: Int, timeout: TimeAmount, on eventLoop: any EventLoop
  ) -> EventLoopFuture<DiscoveryAnswer> {
    let exchange = DiscoveryExchange(eventLoop.makePromise(), limit: limit)
    let stream = upstream.send(request, auditID: AuditID().description, delegate: exchange, eventLoop: eventLoop)
    exchange.stream = stream
    stream.sendEnd(trailers: HeaderFields())
    let timer = eventLoop.assumeIsolated().scheduleTask(in: timeout) { exchange.giveUp(.discoveryTimeout) }
    exchange.promise.futureResult.whenComplete { _ in timer.cancel() }
    return exchange.promise.futureResult
  }

  private func giveUp(_ problem: Problem) {
    guard !self.isOver else { return }
    self.stream?.cancel()
    self.end(.failure(problem))
  }

  private func end(_ result: Result<DiscoveryAnswer, Problem>) {
    guard !self.isOver else { return }
    self.isOver = true
    self.stream = nil
    self.promise.completeWith(result.mapError { $0 as any Error })
  }

  func upstreamSentInformational(_ head: ResponseHead) {}

  func upstreamSentHead(_ head: ResponseHead) {
    self.status = head.status
    self.etag = head.fields.first { $0.withName { name in name.elementsEqual("etag".utf8) { $0 | 0x20 == $1 } } }?.value ?? ""
    if let length = head.statedLength, length > UInt64(self.limit) { self.giveUp(.discoveryTooLarge) }
  }

  func upstreamSentBody(_ bytes: ByteBuffer) {
    guard !self.isOver else { return }
    guard self.body.count + bytes.readableBytes <= self.limit else { return self.giveUp(.discoveryTooLarge) }
    self.body.append(contentsOf: bytes.readableBytesView)
  }

  func upstreamSentEnd(trailers: HeaderFields) {
    self.end(.success(DiscoveryAnswer(status: self.status, etag: self.etag, body: self.body)))
  }

  func upstreamReadComplete() {}
  func upstreamFlowChanged(paused: Bool) {}
  func upstreamFailed(_ problem: Problem) { self.end(.failure(problem)) }
}

extension Problem {
  static let discoveryFailed = Problem(
    "discoveryFailed", blame: .ourselves, status: 500, message: "The upstream's API description could not be asked for.")
  static let discoveryTimeout = Problem(
    "discoveryTimeout", blame: .upstream, status: 504, message: "The upstream did not send its API description in time.")
  static let discoveryTooLarge = Problem(
    "discoveryTooLarge", blame: .upstream, status: 502, message: "The upstream's API description is larger than is read.")
}
