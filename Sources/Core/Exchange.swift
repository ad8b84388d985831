public import NIOCore
public import SallyportWire

// The three sides of one request on its event loop. Every call is made on that event loop, and none after `…End` or a
// failure. Nobody buffers: whoever cannot take more says so by the flow calls, and the other side stops reading.

/// The client's side of a request: an HTTP/1.1 connection, later an HTTP/2 stream. Made by `Listener`.
///
/// A stream is over with the ``flush()`` behind ``sendEnd(trailers:)``, or with ``abort()``: calls that come later do
/// nothing. Whoever holds the end of an answer back (until its audit record is written) holds back the flush, and the next
/// request of the connection waits for it. The calls may be made from inside `receive`.
public protocol ClientStream: AnyObject {
  var eventLoop: any EventLoop { get }
  /// What the stream's connection remembers.
  var memory: ConnectionMemory { get }
  /// An informational answer; it leaves at once. `100 Continue` is sent like this when the body is wanted of a head that
  /// `expectsContinue`; a client that waits for none gets none. Answered otherwise, such a connection closes.
  func sendInformational(_ head: ResponseHead)
  /// The final head. The bytes leave no sooner than the next ``flush()``.
  func sendHead(_ head: ResponseHead)
  func sendBody(_ bytes: ByteBuffer)
  func sendEnd(trailers: HeaderFields)
  func flush()
  /// Ends the stream without a proper end of the answer: the client must see that something is missing.
  func abort()
  /// Stops and restarts the reading of the request's body.
  func setRequestFlow(paused: Bool)
  /// The request will be answered without its body being wanted: the connection closes behind the answer unless the
  /// body has already come.
  func abandonRequestBody()
  /// Answers 101 and gives the connection up to a tunnel: the stream and its delegate are done with.
  ///
  /// The head must name the new protocol (`Connection`, `Upgrade`). What the client sent behind its request is held by the
  /// end that is returned, and was seen by nobody.
  ///
  /// - Returns: `nil` where the client is gone, or its connection cannot change its protocol
  func switchProtocols(_ head: ResponseHead) -> (any TunnelEnd)?
}

extension ClientStream {
  public func switchProtocols(_ head: ResponseHead) -> (any TunnelEnd)? { nil }
}

/// What happens on the client's side. Implemented by `Service` for each request.
public protocol ClientStreamDelegate: AnyObject {
  func clientSentBody(_ bytes: ByteBuffer)
  func clientSentEnd(trailers: HeaderFields)
  /// The client takes no more bytes for now, or does again.
  func clientFlowChanged(paused: Bool)
  /// The client is gone, or its request broke off; there is nobody to answer.
  func clientGone(_ reason: ClientGone)
}

/// Why a client's stream ended before its answer did.
public enum ClientGone: Sendable, Equatable {
  /// It closed the connection.
  case closed
  /// The rest of its request could not be read; it may still be told so if nothing was answered yet, and else the answer
  /// was cut. No other call follows, and the connection closes behind the answer or with ``ClientStream/abort()``.
  case malformed(MalformedMessage)
  /// It was too slow.
  case timedOut
}

/// What takes requests. Implemented by `Service`, called by `Listener` on the connection's event loop.
public protocol RequestReceiver: Sendable {
  /// A request's head was read. The delegate hears of everything that follows.
  func receive(_ head: RequestHead, on stream: any ClientStream, of connection: ConnectionFacts) -> any ClientStreamDelegate
  /// A request could not be read; the connection closes behind the answer.
  func refuse(_ malformed: MalformedMessage, on stream: any ClientStream, of connection: ConnectionFacts)
  /// A connection ended before it could carry a request: a failed handshake, a limit, a timeout.
  func connectionFailed(_ problem: Problem, from address: ClientAddress, listener: String)
  /// A connection's TLS handshake is done, and it can carry requests.
  func handshakeCompleted(_ connection: ConnectionFacts, certificate: HandshakeCertificate)
}

extension RequestReceiver {
  public func handshakeCompleted(_ connection: ConnectionFacts, certificate: HandshakeCertificate) {}
}

/// The upstream's side of a request. Made by `Upstream`.
public protocol UpstreamStream: AnyObject {
  func sendBody(_ bytes: ByteBuffer)
  func sendEnd(trailers: HeaderFields)
  func setResponseFlow(paused: Bool)
  /// Nobody waits for the answer any more: the connection is closed within a second.
  func cancel()
}

/// What happens on the upstream's side. Implemented by `Service` for each request.
public protocol UpstreamStreamDelegate: AnyObject {
  func upstreamSentInformational(_ head: ResponseHead)
  func upstreamSentHead(_ head: ResponseHead)
  func upstreamSentBody(_ bytes: ByteBuffer)
  func upstreamSentEnd(trailers: HeaderFields)
  /// What arrived together has been passed on: the moment to flush.
  func upstreamReadComplete()
  func upstreamFlowChanged(paused: Bool)
  /// The answer failed, or breaks off here if its head was already passed on.
  func upstreamFailed(_ problem: Problem)
  /// The server changed to the protocol that was asked for: the last call. Whoever gets the end opens it or cuts it.
  ///
  /// - Parameter head: the 101, without the fields that name the protocol
  func upstreamSwitchedProtocols(_ head: ResponseHead, _ end: any TunnelEnd)
}

extension UpstreamStreamDelegate {
  public func upstreamSwitchedProtocols(_ head: ResponseHead, _ end: any TunnelEnd) { end.cut() }
}
