public import NIOCore

/// Reads HTTP/1.1 responses from the bytes of one upstream connection, strictly (RFC 9112).
///
/// The method of the request that is being answered decides whether there is a body, so the reader is told of each
/// request before its answer is read; bytes that no request asked for are malformed. Once it has thrown it stays broken
/// and throws the same again. Behind a head with status 101 (or a 2xx to CONNECT) it reads nothing more: the bytes that
/// follow are the tunnel's, see ``takeUnreadBytes()``.
public struct HTTP1ResponseReader {
  private enum State {
    /// Before the first byte of a head.
    case betweenMessages
    case head
    /// Behind an informational head: the final one must come.
    case betweenHeads
    case body(keepsConnection: Bool)
    case tunnel
    /// The last message of the connection was read; what follows is nobody's.
    case finished
    case broken(MalformedMessage)
  }

  private let limits: MessageLimits
  private var state = State.betweenMessages
  private var unread = UnreadBytes()
  /// The methods of the requests that were not answered yet, in their order.
  private var expected: [Method] = []
  private var head: ResponseHeadSection
  private var body: BodyReader

  public init(limits: MessageLimits) {
    self.limits = limits
    self.head = ResponseHeadSection(limits: limits)
    self.body = BodyReader(.none, limits: limits)
  }

  /// A request was sent; the next final head answers it.
  public mutating func expectResponse(to method: Method) { self.expected.append(method) }

  /// Takes bytes that arrived.
  public mutating func receive(_ bytes: ByteBuffer) {
    switch self.state {
    case .broken: return
    case .betweenMessages, .head, .betweenHeads, .body, .tunnel, .finished: self.unread.append(bytes)
    }
  }

  /// The next event in the bytes received so far, or `nil` where more are needed.
  ///
  /// - Throws: ``MalformedMessage`` with status 502; the same again whenever called.
  public mutating func next() throws(MalformedMessage) -> ResponseEvent? {
    do throws(MalformedMessage) {
      switch self.state {
      case .betweenMessages, .betweenHeads:
        guard !self.unread.isEmpty else { return nil }
        self.state = .head
        return try self.nextOfHead()
      case .head: return try self.nextOfHead()
      case .body(let keepsConnection): return try self.nextOfBody(keepsConnection: keepsConnection)
      case .tunnel: return nil
      case .finished:
        guard self.unread.isEmpty else { throw .unexpectedBytes }
        return nil
      case .broken(let malformed): throw malformed
      }
    } catch {
      throw self.fail(with: error)
    }
  }

  /// The connection ended: the end of a body that is framed so, `nil` between messages, an error inside a message.
  ///
  /// Call it when ``next()`` has returned `nil`. Whether an answer was still expected is not judged here: before its
  /// first byte this too returns `nil`, and the request may be one that can be sent again.
  public mutating func connectionEnded() throws(MalformedMessage) -> ResponseEvent? {
    switch self.state {
    case .body where self.body.endsWithConnection:
      self.state = .finished
      return .end(trailers: HeaderFields())
    case .betweenMessages, .tunnel, .finished: return nil
    case .broken(let malformed): throw malformed
    case .head, .betweenHeads, .body:
      throw self.fail(with: MalformedMessage("The connection ended inside a response."))
    }
  }

  /// Bytes received and not yet read: after a 101 the first ones of the tunnel.
  public mutating func takeUnreadBytes() -> ByteBuffer { self.unread.takeAll() }

  /// Breaks the reader. Whatever is wrong is the upstream's fault, so the client is answered 502 (RFC 9110 section 15.6.3).
  private mutating func fail(with fault: MalformedMessage) -> MalformedMessage {
    let malformed = MalformedMessage(status: 502, fault.reason)
    self.state = .broken(malformed)
    _ = self.unread.takeAll()
    return malformed
  }

  private mutating func nextOfHead() throws(MalformedMessage) -> ResponseEvent? {
    guard let method = self.expected.first else { throw .unexpectedBytes }
    guard let head = try self.head.next(in: &self.unread, answering: method) else { return nil }
    self.head = ResponseHeadSection(limits: self.limits)
    if head.status == 101 || method == .connect && head.status / 100 == 2 {
      self.state = .tunnel
      return .head(head)
    }
    if head.isInformational {
      self.state = .betweenHeads
      return .informational(head)
    }
    self.expected.removeFirst()
    self.body = BodyReader(head.framing, limits: self.limits)
    self.state = .body(keepsConnection: head.keepsConnection)
    return .head(head)
  }

  private mutating func nextOfBody(keepsConnection: Bool) throws(MalformedMessage) -> ResponseEvent? {
    switch try self.body.next(in: &self.unread) {
    case .bytes(let bytes): return .body(bytes)
    case .end(let trailers):
      self.state = keepsConnection ? .betweenMessages : .finished
      return .end(trailers: trailers)
    case nil: return nil
    }
  }
}

extension MalformedMessage {
  static let unexpectedBytes = MalformedMessage("The upstream sent bytes that no request asked for.")
}
