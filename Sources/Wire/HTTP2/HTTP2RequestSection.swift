public import NIOCore

/// Reads the field section that opens an HTTP/2 request into the head that the same request would have in HTTP/1.1.
///
/// This is a border: what lies behind it speaks HTTP/1.1, so everything is refused here that would be another message
/// there, or that two readers could understand differently (RFC 9113 sections 8.2, 8.3 and 10.3).
///
/// ```
/// request = 1*pseudo-header *field      ; each of :method, :scheme and :path once, :authority at most once
/// ```
/// - `:authority` becomes `Host`, which has to say the same where it is there, too; exactly one name must come of the two.
/// - `:path` is read as the target of a request line: it begins with a slash, or is `*` of OPTIONS.
/// - Fields that are the connection's own have no meaning in HTTP/2 and are refused; so are CONNECT and `:protocol`.
/// - Several `cookie` fields are joined into one (RFC 9113 section 8.2.3).
///
/// It knows of no frame and no header compression: the fields come as names and values.
public struct HTTP2RequestSection {
  private let limits: MessageLimits
  private var lines: HTTP2FieldLines
  private var method: String?
  private var scheme: String?
  private var path: String?
  private var authority: String?
  private var host: String?
  private var cookie: String?
  private var contentLength: UInt64?
  private var expectsContinue = false
  private var pseudoHeadersAreOver = false

  public init(limits: MessageLimits) {
    self.limits = limits
    self.lines = HTTP2FieldLines(sizeLimit: limits.headBytes, countLimit: limits.fieldCount)
  }

  /// The request line that HTTP/1.1 would have, as far as the fields came; for the audit record of a section that cannot
  /// be read. At most 8 KiB.
  public var requestLine: ByteBuffer? {
    guard let method = self.method else { return nil }
    var line = ByteBuffer(string: String(method.prefix(256)))
    if let path = self.path {
      line.writeStaticString(" ")
      line.writeSubstring(path.prefix(7 * 1024))
      line.writeStaticString(" HTTP/2.0")
    }
    return line.getSlice(at: line.readerIndex, length: min(line.readableBytes, 8192))
  }

  /// Reads the next field.
  ///
  /// - Throws: ``MalformedMessage`` with status 400, 431 for a section that is too large, or 417 for an unknown expectation
  public mutating func add(_ name: String, _ value: String) throws(MalformedMessage) {
    try self.lines.count(name, value)
    if name.utf8.first == UInt8(ascii: ":") {
      try self.notePseudoHeader(name, value)
    } else {
      self.pseudoHeadersAreOver = true
      try self.note(name, value)
    }
  }

  /// Ends the section.
  ///
  /// - Parameter endsStream: whether the request ends with it and so has no body
  public mutating func finish(endsStream: Bool) throws(MalformedMessage) -> RequestHead {
    guard let method = self.method, let path = self.path, self.scheme != nil else {
      throw MalformedMessage("The request lacks one of :method, :scheme and :path.")
    }
    let parsed = try Self.method(method)
    guard let host = self.authority ?? self.host else { throw MalformedMessage("The request has neither :authority nor host.") }
    if let stated = self.host, !FieldBytes.equalFolded(host.utf8, stated.utf8) {
      throw MalformedMessage(":authority and host differ.")
    }
    let target = try Self.target(path, for: parsed)
    try self.lines.append("host", host)
    if let cookie = self.cookie { try self.lines.append("cookie", cookie) }
    let framing = try self.framing(endsStream: endsStream)
    return RequestHead(
      method: parsed, target: target, fields: self.lines.fields, framing: framing,
      expectsContinue: self.expectsContinue && framing.hasContent)
  }

  // MARK: Pseudo-headers

  private mutating func notePseudoHeader(_ name: String, _ value: String) throws(MalformedMessage) {
    guard !self.pseudoHeadersAreOver else { throw MalformedMessage("A pseudo-header stands behind a field.") }
    switch name {
    case ":method": try Self.set(&self.method, value)
    case ":path": try Self.set(&self.path, value)
    case ":scheme":
      guard value == "https" else { throw MalformedMessage(":scheme is not https.") }
      try Self.set(&self.scheme, value)
    case ":authority":
      try Self.set(&self.authority, value)
      try Self.checkHost(value)
    case ":protocol": throw MalformedMessage("The request asks for another protocol by :protocol, which is not served here.")
    default: throw MalformedMessage("The request has a pseudo-header that requests do not have.")
    }
  }

  private static func set(_ property: inout String?, _ value: String) throws(MalformedMessage) {
    guard property == nil else { throw MalformedMessage("A pseudo-header stands twice.") }
    property = value
  }

  private static func method(_ name: String) throws(MalformedMessage) -> Method {
    let method = HTTP2FieldLines.withBytes(of: name) { bytes in
      !bytes.isEmpty && bytes.allSatisfy(FieldBytes.isTokenByte) ? Method(tokenBytes: bytes) : nil
    }
    guard let method else { throw MalformedMessage(":method is not a token.") }
    guard method != .connect else { throw MalformedMessage("CONNECT is not served here.") }
    return method
  }

  private static func target(_ path: String, for method: Method) throws(MalformedMessage) -> RequestTarget {
    guard path.utf8.first == UInt8(ascii: "/") || path == "*" else { throw MalformedMessage(":path does not begin with a slash.") }
    // A path that came in other bytes than UTF-8 is not the client's any more; see `HTTP2FieldLines.fault(ofValue:)`.
    if let fault = HTTP2FieldLines.fault(ofValue: path) { throw fault }
    return try RequestTarget(reading: ByteBuffer(string: path), for: method)
  }

  private static func checkHost(_ value: String) throws(MalformedMessage) {
    guard HTTP2FieldLines.withBytes(of: value, HostValue.isValid) else {
      throw MalformedMessage("The host is not a host with an optional port.")
    }
  }

  // MARK: Fields

  private mutating func note(_ name: String, _ value: String) throws(MalformedMessage) {
    if let fault = HTTP2FieldLines.fault(ofValue: value) { throw fault }
    switch try HTTP2FieldLines.kind(of: name) {
    case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade:
      throw MalformedMessage("The request has a field of the connection, which HTTP/2 does not know.")
    case .te:
      guard value == "trailers" else { throw MalformedMessage("TE says something other than trailers.") }
      try self.lines.append(name, value)
    case .contentLength:
      guard self.contentLength == nil else { throw MalformedMessage("Content-Length stands twice.") }
      self.contentLength = try Self.length(value)
    case .host:
      guard self.host == nil else { throw MalformedMessage("Host stands twice.") }
      try Self.checkHost(value)
      self.host = value
    case .expect:
      guard value.lowercased() == "100-continue" else {
        throw MalformedMessage(status: 417, "Expect asks for something unknown.")
      }
      self.expectsContinue = true
      try self.lines.append(name, value)
    case .cookie:
      if self.cookie == nil {
        self.cookie = value
      } else {
        self.cookie?.append("; ")
        self.cookie?.append(value)
      }
    default: try self.lines.append(name, value)
    }
  }

  private static func length(_ value: String) throws(MalformedMessage) -> UInt64 {
    var value = value
    let result = value.withUTF8 { bytes in
      Result { () throws(MalformedMessage) in try HeadFields.length(UnsafeRawBufferPointer(bytes)) }
    }
    return try result.get()
  }

  private func framing(endsStream: Bool) throws(MalformedMessage) -> BodyFraming {
    guard endsStream else { return self.contentLength.map(BodyFraming.length) ?? .chunked }
    guard let length = self.contentLength else { return .none }
    guard length == 0 else { throw .bodyShorterThanStated }
    return .length(0)
  }
}

extension MalformedMessage {
  static let bodyShorterThanStated = MalformedMessage("The body is shorter than Content-Length says.")
  static let bodyLongerThanStated = MalformedMessage("The body is longer than Content-Length says.")
}
