import NIOCore
import SallyportCore
import SallyportWire

/// Answers at the control socket, where the operator acts on the running gateway (``ControlRequest``).
///
/// It is a file that only the user can open whom the gateway runs as; nothing of it can be reached from the network.
struct ControlReceiver: RequestReceiver {
  let sessions: SessionControl

  func receive(_ head: RequestHead, on stream: any ClientStream, of connection: ConnectionFacts) -> any ClientStreamDelegate {
    ControlExchange(head, on: stream, of: connection.localPeer, self.sessions)
  }

  func refuse(_ malformed: MalformedMessage, on stream: any ClientStream, of connection: ConnectionFacts) {
    ControlExchange.send(ControlReply(malformed.status, error: malformed.reason), on: stream)
  }

  func connectionFailed(_ problem: Problem, from address: ClientAddress, listener: String) {}
}

/// One question at the control socket: it is read whole, carried out and answered.
private final class ControlExchange: ClientStreamDelegate {
  /// The most bytes of a question: a user's name.
  private static let longestBody = 16 * 1024

  private let head: RequestHead
  private let stream: any ClientStream
  private let peer: LocalPeer?
  private let sessions: SessionControl
  private var body = RequestBody(limit: ControlExchange.longestBody)
  private var isOver = false

  init(_ head: RequestHead, on stream: any ClientStream, of peer: LocalPeer?, _ sessions: SessionControl) {
    self.head = head
    self.stream = stream
    self.peer = peer
    self.sessions = sessions
  }

  func clientSentBody(_ bytes: ByteBuffer) {
    guard self.body.received(bytes) == .tooLong, !self.isOver else { return }
    self.isOver = true
    self.stream.abandonRequestBody()
    self.send(ControlReply(413, error: "The question is too long."))
  }

  func clientSentEnd(trailers: HeaderFields) {
    guard !self.isOver, let body = self.body.whole else { return }
    do throws(ControlReply) {
      let request = try ControlRequest(self.head, body: Array(body.readableBytesView))
      // Nobody acts here without a name for the record.
      guard let peer = self.peer else { throw ControlReply(403, error: "The operating system does not say who asks.") }
      self.answer(request, peer)
    } catch {
      self.isOver = true
      self.send(error)
    }
  }

  private func answer(_ request: ControlRequest, _ peer: LocalPeer) {
    let eventLoop = self.stream.eventLoop
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    let outcome: Answer<SessionControl.Outcome>
    switch request {
    case .list(let user): outcome = self.sessions.list(of: user, on: eventLoop)
    case .revoke(let selection): outcome = self.sessions.revoke(selection, by: peer, on: eventLoop)
    }
    outcome.whenThere(on: eventLoop, failure: { _ in .unavailable }) { outcome in
      let exchange = bound.value
      guard !exchange.isOver else { return }
      exchange.isOver = true
      exchange.send(ControlReply(outcome))
    }
  }

  func clientFlowChanged(paused: Bool) {}

  func clientGone(_ reason: ClientGone) {
    // What was begun is carried out all the same, and recorded.
    guard !self.isOver else { return }
    self.isOver = true
    if case .malformed(let malformed) = reason {
      self.send(ControlReply(malformed.status, error: malformed.reason))
    }
  }

  private func send(_ reply: ControlReply) { Self.send(reply, isHead: self.head.method == .head, on: self.stream) }

  static func send(_ reply: ControlReply, isHead: Bool = false, on stream: any ClientStream) {
    stream.sendHead(reply.head(isHead: isHead))
    if !isHead { stream.sendBody(ByteBuffer(bytes: reply.body)) }
    stream.sendEnd(trailers: HeaderFields())
    stream.flush()
  }
}
