import NIOCore
import SallyportAudit
import SallyportCore
import SallyportWire

/// Takes what the listeners read and starts an exchange for it, on the connection's own event loop.
struct GatewayReceiver: RequestReceiver {
  let contexts: LoopContexts

  func receive(_ head: RequestHead, on stream: any ClientStream, of connection: ConnectionFacts) -> any ClientStreamDelegate {
    let loop = self.contexts.context(of: stream.eventLoop)
    let exchange = Exchange(
      head, record: loop.openRecord(AuditedRequest(head), of: connection), stream: stream, connection: connection, loop: loop)
    RequestPath(generation: loop.generation).walk(head, exchange)
    return exchange
  }

  func refuse(_ malformed: MalformedMessage, on stream: any ClientStream, of connection: ConnectionFacts) {
    let loop = self.contexts.context(of: stream.eventLoop)
    let exchange = Exchange(
      nil, record: loop.openRecord(AuditedRequest(malformed), of: connection), stream: stream, connection: connection, loop: loop)
    exchange.answer(Problem(malformed))
  }

  func connectionFailed(_ problem: Problem, from address: ClientAddress, listener: String) {
    guard let loop = self.contexts.current() else { return }
    loop.connectionFailed(problem)
    let record = AuditRecord(
      failedConnection: problem, from: address, listener: listener, auditID: loop.nextAuditID(), received: .now(),
      configuration: loop.generation.hash)
    loop.audit.write(record, then: .nobody)
  }

  func handshakeCompleted(_ connection: ConnectionFacts, certificate: HandshakeCertificate) {
    self.contexts.current()?.handshakeCompleted(connection, certificate)
  }
}
