import NIOCore
import SallyportCore
import SallyportMetrics
import SallyportWire

/// Answers on the admin listener: `/livez`, `/readyz`, `/metrics`, to GET and HEAD.
///
/// It is the operator's own port: plain HTTP, on loopback unless the configuration says otherwise, no authentication, and
/// no audit record. Nothing here changes anything, and nothing of a request is shown but what the checks and counts say.
struct AdminReceiver: RequestReceiver {
  let readiness: Readiness
  let metrics: MetricRegistry

  private struct Reply: Sendable {
    var status = 200
    var contentType = "text/plain; charset=utf-8"
    var text: String
    /// For 405.
    var allow: String?
  }

  func receive(_ head: RequestHead, on stream: any ClientStream, of connection: ConnectionFacts) -> any ClientStreamDelegate {
    let exchange = AdminExchange()
    stream.abandonRequestBody()
    let isHead = head.method == .head
    guard head.method == .get || isHead else {
      Self.send(Reply(status: 405, text: "Only GET and HEAD are served here.\n", allow: "GET, HEAD"), isHead: false, on: stream)
      return exchange
    }
    if head.target.path == "/metrics" {
      self.sendMetrics(isHead: isHead, on: stream, exchange)
    } else {
      Self.send(self.reply(to: head.target), isHead: isHead, on: stream)
    }
    return exchange
  }

  func refuse(_ malformed: MalformedMessage, on stream: any ClientStream, of connection: ConnectionFacts) {
    Self.send(Reply(status: malformed.status, text: "\(malformed.reason)\n"), isHead: false, on: stream)
  }

  func connectionFailed(_ problem: Problem, from address: ClientAddress, listener: String) {}

  private func reply(to target: RequestTarget) -> Reply {
    let query = Query(target)
    switch target.path {
    case "/livez":
      // That this is answered says that an event loop runs; nothing that a restart would not mend counts here.
      let report = HealthReport(results: [HealthReport.Result(name: "ping", state: .ok)])
      return Self.reply(report, "livez", query)
    case "/readyz": return Self.reply(self.readiness.report(), "readyz", query)
    case "/": return Reply(text: "/livez\n/readyz\n/metrics\n")
    default:
      if target.path.hasPrefix("/readyz/") { return self.reply(toCheck: String(target.path.dropFirst("/readyz/".count))) }
      return Reply(status: 404, text: "There is nothing at this path.\n")
    }
  }

  private static func reply(_ report: HealthReport, _ endpoint: String, _ query: Query) -> Reply {
    let isGood = report.isGood(without: query.excluded)
    guard isGood, !query.isVerbose else {
      return Reply(status: isGood ? 200 : 500, text: report.text(endpoint, excluding: query.excluded))
    }
    return Reply(text: "ok")
  }

  private func reply(toCheck name: String) -> Reply {
    guard let result = self.readiness.report().results.first(where: { $0.name == name }) else {
      return Reply(status: 404, text: "There is no such check.\n")
    }
    if case .failed(let reason) = result.state { return Reply(status: 500, text: "\(reason)\n") }
    return Reply(text: "ok")
  }

  private func sendMetrics(isHead: Bool, on stream: any ClientStream, _ exchange: AdminExchange) {
    let eventLoop = stream.eventLoop
    let bound = NIOLoopBound((stream, exchange), eventLoop: eventLoop)
    eventLoop.makeFutureWithTask { [metrics] in await metrics.text() }.whenSuccess { text in
      let (stream, exchange) = bound.value
      guard !exchange.isOver else { return }
      Self.send(Reply(contentType: ExpositionText.contentType, text: text), isHead: isHead, on: stream)
    }
  }

  private static func send(_ reply: Reply, isHead: Bool, on stream: any ClientStream) {
    var fields = HeaderFields()
    do {
      try fields.append("Content-Type", reply.contentType)
      try fields.append("X-Content-Type-Options", "nosniff")
      try fields.append("Cache-Control", "no-store")
      if let allow = reply.allow { try fields.append("Allow", allow) }
    } catch {
      assertionFailure("constants are fields: \(error)")
    }
    let length = UInt64(reply.text.utf8.count)
    stream.sendHead(ResponseHead(status: reply.status, fields: fields, framing: isHead ? .none : .length(length), statedLength: length))
    if !isHead { stream.sendBody(ByteBuffer(string: reply.text)) }
    stream.sendEnd(trailers: HeaderFields())
    stream.flush()
  }

  /// `?verbose` and `?exclude=NAME`, which may be repeated.
  private struct Query {
    var isVerbose = false
    var excluded: Set<String> = []

    init(_ target: RequestTarget) {
      for item in (target.query ?? "").split(separator: "&") {
        let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        switch parts.first {
        case "verbose": self.isVerbose = true
        case "exclude": if parts.count == 2 { self.excluded.insert(String(parts[1])) }
        default: break
        }
      }
    }
  }
}

/// What the admin listener hears of a client: only whether there is still one.
private final class AdminExchange: ClientStreamDelegate {
  private(set) var isOver = false

  func clientSentBody(_ bytes: ByteBuffer) {}
  func clientSentEnd(trailers: HeaderFields) {}
  func clientFlowChanged(paused: Bool) {}
  func clientGone(_ reason: ClientGone) { self.isOver = true }
}
