public import NIOCore

/// Reads HTTP/1.1 requests from the bytes of one connection, strictly (RFC 9112).
///
/// The reader does no I/O: bytes go in by ``receive(_:)``, events come out by ``next()`` until it returns `nil`. A head
/// shares the buffer that it came in. Once it has thrown it stays broken and throws the same again. Behind a message
/// that does not keep the connection it reads nothing more.
public struct HTTP1RequestReader {
  private enum State {
    /// Before the first byte of a head; an empty line may have been skipped.
    case betweenMessages(skippedLine: Bool)
    case head
    case body(keepsConnection: Bool)
    /// The last message of the connection was read; what follows is nobody's.
    case finished
    case broken(MalformedMessage)
  }

  /// The most bytes of a request line that an error carries.
  private static let requestLineCap = 8 * 1024

  private let limits: MessageLimits
  private var state = State.betweenMessages(skippedLine: false)
  private var unread = UnreadBytes()
  private var head: RequestHeadSection
  private var body: BodyReader
  /// The request line of the message whose body is being read.
  private var requestLine: ByteBuffer?

  public init(limits: MessageLimits) {
    self.limits = limits
    self.head = RequestHeadSection(limits: limits)
    self.body = BodyReader(.none, limits: limits)
  }

  /// Takes bytes that arrived.
  public mutating func receive(_ bytes: ByteBuffer) {
    switch self.state {
    case .finished, .broken: return
    case .betweenMessages, .head, .body: self.unread.append(bytes)
    }
  }

  /// The next event in the bytes received so far, or `nil` where more are needed.
  ///
  /// - Throws: ``MalformedMessage``, which carries the request line as far as it arrived; the same again whenever called.
  public mutating func next() throws(MalformedMessage) -> RequestEvent? {
    do throws(MalformedMessage) {
      switch self.state {
      case .betweenMessages(let skippedLine):
        guard try self.findStart(skippedLine: skippedLine) else { return nil }
        self.state = .head
        return try self.nextOfHead()
      case .head: return try self.nextOfHead()
      case .body(let keepsConnection): return try self.nextOfBody(keepsConnection: keepsConnection)
      case .finished: return nil
      case .broken(let malformed): throw malformed
      }
    } catch {
      if case .broken = self.state { throw error }
      var malformed = error
      malformed.requestLine = self.requestLine ?? self.startOfHead()
      self.state = .broken(malformed)
      self.requestLine = nil
      _ = self.unread.takeAll()
      throw malformed
    }
  }

  /// Whether the connection is between two messages with no byte of the next one read: the only state in which a
  /// closed connection leaves nothing unanswered.
  public var isBetweenMessages: Bool {
    switch self.state {
    case .betweenMessages: self.unread.isEmpty
    case .finished: true
    case .head, .body, .broken: false
    }
  }

  /// Bytes received and not yet read, for a connection that becomes a tunnel.
  public mutating func takeUnreadBytes() -> ByteBuffer { self.unread.takeAll() }

  /// Skips the one empty line that may stand before a request line (RFC 9112 section 2.2: old clients send one behind a
  /// body that they did not count), and looks at the first byte at once, so that a connection that speaks another
  /// protocol is not kept waiting for a line end that never comes.
  private mutating func findStart(skippedLine: Bool) throws(MalformedMessage) -> Bool {
    let buffer = self.unread.buffer
    guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return false }
    guard first == 0x0D, !skippedLine else {
      guard FieldBytes.isTokenByte(first) else { throw MalformedMessage("The request line does not begin with a method and a blank.") }
      return true
    }
    guard let second = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt8.self) else { return false }
    guard second == 0x0A else { throw .bareCarriageReturn }
    self.unread.skip(2)
    self.state = .betweenMessages(skippedLine: true)
    return try self.findStart(skippedLine: true)
  }

  private mutating func nextOfHead() throws(MalformedMessage) -> RequestEvent? {
    guard let (head, line) = try self.head.next(in: &self.unread) else { return nil }
    self.head = RequestHeadSection(limits: self.limits)
    self.body = BodyReader(head.framing, limits: self.limits)
    self.requestLine = line
    self.state = .body(keepsConnection: head.keepsConnection)
    return .head(head)
  }

  private mutating func nextOfBody(keepsConnection: Bool) throws(MalformedMessage) -> RequestEvent? {
    switch try self.body.next(in: &self.unread) {
    case .bytes(let bytes): return .body(bytes)
    case .end(let trailers):
      self.requestLine = nil
      self.state = keepsConnection ? .betweenMessages(skippedLine: false) : .finished
      return .end(trailers: trailers)
    case nil: return nil
    }
  }

  /// What arrived of the request line that cannot be read, or whose fields cannot.
  private func startOfHead() -> ByteBuffer? {
    guard !self.unread.isEmpty else { return nil }
    let length = self.unread.buffer.readableBytesView.firstIndex { $0 == 0x0D || $0 == 0x0A }.map { $0 - self.unread.buffer.readerIndex }
    return self.unread.slice(0, min(length ?? self.unread.count, Self.requestLineCap))
  }
}
