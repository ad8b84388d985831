import NIOCore
public import SallyportWire

/// What a record keeps of a request's head: references into the message's own bytes, nothing is copied.
///
/// It is taken before the head is stripped, so that the record shows what the client sent.
public struct AuditedRequest: Sendable {
  enum Line: Sendable {
    case read(Method, uri: ByteBuffer)
    /// A request line that could not be read, as far as it came.
    case unreadable(ByteBuffer)
    /// There was no request: the connection failed before.
    case none
  }

  let line: Line
  let userAgent: HeaderFields.Field?

  /// A request whose head was read.
  public init(_ head: RequestHead) {
    self.line = .read(head.method, uri: head.target.raw)
    self.userAgent = head.fields.first(.userAgent)
  }

  /// A request that could not be read.
  public init(_ malformed: MalformedMessage) {
    self.line = malformed.requestLine.map(Line.unreadable) ?? .none
    self.userAgent = nil
  }

  init(line: Line, userAgent: HeaderFields.Field?) {
    self.line = line
    self.userAgent = userAgent
  }

  /// No request: what failed was the connection.
  public static let none = AuditedRequest(line: .none, userAgent: nil)
}

/// What can be said of a request line that no reader understood: a method, perhaps, and the rest.
///
/// The rest is everything behind the first blank without a version at its end, so that the redaction of secrets sees it.
/// A line without a blank has no method: it may as well be the first bytes of another protocol.
struct UnreadableLine {
  let method: UnsafeRawBufferPointer
  let rest: UnsafeRawBufferPointer

  init(_ line: UnsafeRawBufferPointer) {
    guard let blank = line.firstIndex(of: UInt8(ascii: " ")) else {
      self.method = UnsafeRawBufferPointer(rebasing: line[..<0])
      self.rest = line
      return
    }
    self.method = UnsafeRawBufferPointer(rebasing: line[..<blank])
    var end = line.count
    if let last = line.lastIndex(of: UInt8(ascii: " ")), last > blank, line[(last + 1)...].starts(with: "HTTP/".utf8) { end = last }
    self.rest = UnsafeRawBufferPointer(rebasing: line[(blank + 1)..<end])
  }
}
