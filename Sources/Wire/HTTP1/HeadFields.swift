import NIOCore

/// The fields of a head while its lines are read, and what those say about the message's framing.
///
/// The framing fields are read here, once, and do not enter the table.
struct HeadFields {
  /// Which rules hold for the head.
  enum Kind { case request, response }

  private let kind: Kind
  private let maximumCount: Int
  private var entries: [HeaderFields.Entry] = []
  private var lineCount = 0
  private(set) var contentLength: UInt64?
  private(set) var isChunked = false
  private(set) var expectsContinue = false
  /// What `Connection` says (RFC 9112 section 9.3).
  private var saysClose = false
  private var saysKeepAlive = false
  /// The value of `Host`.
  private(set) var host: Range<Int>?

  init(_ kind: Kind, maximumCount: Int) {
    self.kind = kind
    self.maximumCount = maximumCount
  }

  /// Reads one line of the head and keeps it.
  mutating func add(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(MalformedMessage) {
    self.lineCount += 1
    guard self.lineCount <= self.maximumCount else { throw .tooManyFields }
    let entry = try FieldLine.read(line, in: bytes)
    if let known = entry.known {
      let isFraming = try self.note(known, UnsafeRawBufferPointer(rebasing: bytes[entry.valueRange]), at: entry.valueRange)
      if isFraming { return }
    }
    // Most heads have fewer fields than this: one allocation a message.
    if self.entries.isEmpty { self.entries.reserveCapacity(16) }
    self.entries.append(entry)
  }

  /// The table of what was read.
  ///
  /// - Parameter head: the bytes that the entries count in
  func table(over head: ByteBuffer) -> HeaderFields { HeaderFields(bytes: head, entries: self.entries) }

  /// Whether the connection can be used again (RFC 9112 section 9.3): `close` wins, and HTTP/1.0 needs `keep-alive`.
  func keepsConnection(_ version: HTTPVersion) -> Bool {
    !self.saysClose && (version == .http11 || self.saysKeepAlive)
  }

  /// Draws what it needs from a field; `true` where the field is one of framing and is thereby done with.
  private mutating func note(
    _ known: KnownField, _ value: UnsafeRawBufferPointer, at range: Range<Int>
  ) throws(MalformedMessage) -> Bool {
    switch known {
    case .contentLength:
      guard self.contentLength == nil else { throw MalformedMessage("Content-Length stands twice.") }
      guard !self.isChunked else { throw .twoFramings }
      self.contentLength = try Self.length(value)
      return true
    case .transferEncoding:
      guard self.contentLength == nil else { throw .twoFramings }
      guard !self.isChunked else { throw MalformedMessage("Transfer-Encoding stands twice.") }
      guard FieldBytes.equal(value, "chunked") else { throw MalformedMessage("Transfer-Encoding is something other than chunked.") }
      self.isChunked = true
      return true
    case .connection:
      FieldBytes.forEachListMember(of: value) { member in
        if FieldBytes.equal(member, "close") { self.saysClose = true }
        if FieldBytes.equal(member, "keep-alive") { self.saysKeepAlive = true }
      }
      return false
    case .host where self.kind == .request:
      guard self.host == nil else { throw MalformedMessage("Host stands twice.") }
      guard HostValue.isValid(value) else { throw MalformedMessage("Host is not a host with an optional port.") }
      self.host = range
      return false
    case .expect where self.kind == .request:
      guard FieldBytes.equal(value, "100-continue") else { throw MalformedMessage(status: 417, "Expect asks for something unknown.") }
      self.expectsContinue = true
      return false
    default: return false
    }
  }

  /// Reads `1*DIGIT` up to the largest `Int64` (RFC 9110 section 8.6).
  static func length(_ value: UnsafeRawBufferPointer) throws(MalformedMessage) -> UInt64 {
    guard !value.isEmpty else { throw MalformedMessage("Content-Length is empty.") }
    var length: Int64 = 0
    for byte in value {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw MalformedMessage("Content-Length is not a number.") }
      let (shifted, overflows) = length.multipliedReportingOverflow(by: 10)
      let (sum, overflowsToo) = shifted.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
      guard !overflows, !overflowsToo else { throw MalformedMessage("Content-Length is too large.") }
      length = sum
    }
    return UInt64(length)
  }
}

extension MalformedMessage {
  static let tooManyFields = MalformedMessage(status: 431, "The message has more fields than this server reads.")
  static let twoFramings = MalformedMessage("Content-Length and Transfer-Encoding stand together.")
}
