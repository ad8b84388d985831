public import NIOCore

/// What a request line asks for, read once (RFC 9112 section 3.2).
///
/// Routing, policy and audit all use this one reading, and the bytes that it was made from go upstream, so that nothing
/// that was decided here is undone by a second opinion. The path is percent-decoded exactly once, as Go's `net/url` and
/// with it kube-apiserver does: `%2F` separates segments like `/`.
///
/// One object is made for each request, and everybody who keeps the target keeps a reference.
public final class RequestTarget: Sendable {
  /// The form in which the target was written.
  public enum Form: Sendable, Hashable {
    /// `/path?query`
    case origin
    /// `scheme://authority/path?query`, as a forward proxy gets it; only its path and query go upstream.
    case absolute
    /// `*`, for OPTIONS alone.
    case asterisk
    /// `host:port`, for CONNECT alone.
    case authority
  }

  public let form: Form
  /// The target as it was sent.
  public let raw: ByteBuffer
  /// The part of `raw` that goes upstream: path and query, byte for byte. Empty for CONNECT.
  public let forwarded: ByteBuffer
  /// Host and port that an absolute form or CONNECT names, in lower case and without user information; `nil` where the
  /// target names none. kube-apiserver ignores it; RFC 9112 section 3.2.2 lets it stand for `Host`.
  public let authority: String?
  /// The path after one percent-decoding; `/` where an absolute form has none, empty for CONNECT. Bytes that are no
  /// UTF-8 are replaced and noted in ``oddities``.
  public let path: String
  /// The query without its `?`, still encoded; `nil` where there is no `?`.
  public let query: String?
  /// What is unusual about the spelling.
  public let oddities: TargetOddities

  init(
    form: Form, raw: ByteBuffer, forwarded: ByteBuffer, authority: String? = nil, path: String, query: String?, oddities: TargetOddities
  ) {
    self.form = form
    self.raw = raw
    self.forwarded = forwarded
    self.authority = authority
    self.path = path
    self.query = query
    self.oddities = oddities
  }

  /// Reads a target.
  ///
  /// ```
  /// request-target = origin-form / absolute-form / authority-form / asterisk-form
  /// ```
  /// An absolute form may have any scheme, and no authority at all (`https:/api/v1`), since Go's `url.ParseRequestURI`
  /// takes it so.
  ///
  /// - Throws: ``MalformedMessage`` with status 400 for a target that no server should serve: a blank or control byte,
  ///   a broken percent escape in the path, a form that the method does not go with.
  public convenience init(reading raw: ByteBuffer, for method: Method) throws(MalformedMessage) {
    guard let first = raw.readableBytesView.first else { throw .emptyTarget }
    switch (first, method) {
    case (UInt8(ascii: "/"), .connect): throw .targetNotForConnect
    case (UInt8(ascii: "/"), _): try self.init(pathFrom: raw.readerIndex, of: raw, form: .origin, authority: nil)
    case (_, .connect): try self.init(authorityForm: raw)
    case (UInt8(ascii: "*"), _) where raw.readableBytes == 1: try self.init(asteriskForm: raw, for: method)
    default: try self.init(absoluteForm: raw)
    }
  }

  private convenience init(asteriskForm raw: ByteBuffer, for method: Method) throws(MalformedMessage) {
    guard method == .options else { throw .asteriskNotForMethod }
    self.init(form: .asterisk, raw: raw, forwarded: raw, path: "*", query: nil, oddities: [])
  }

  private convenience init(authorityForm raw: ByteBuffer) throws(MalformedMessage) {
    guard let authority = TargetAuthority.hostAndPort(raw.readableBytesView), authority.hasPort else { throw .targetNotForConnect }
    self.init(
      form: .authority, raw: raw, forwarded: ByteBuffer(), authority: authority.text, path: "", query: nil, oddities: [])
  }

  private convenience init(absoluteForm raw: ByteBuffer) throws(MalformedMessage) {
    let bytes = raw.readableBytesView
    guard let schemeEnd = TargetAuthority.schemeEnd(bytes) else { throw .targetWithoutSlash }
    let hierarchy = bytes[schemeEnd...]
    guard hierarchy.first == UInt8(ascii: "/") else { throw .targetWithoutSlash }
    guard hierarchy.dropFirst().first == UInt8(ascii: "/") else {
      try self.init(pathFrom: schemeEnd, of: raw, form: .absolute, authority: nil)
      return
    }
    let afterSlashes = hierarchy.dropFirst(2)
    let pathStart = afterSlashes.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? bytes.endIndex
    var authority: String?
    if pathStart > afterSlashes.startIndex {
      guard let stated = TargetAuthority.withoutUserInformation(afterSlashes[..<pathStart]) else { throw .brokenAuthority }
      authority = stated
    }
    try self.init(pathFrom: pathStart, of: raw, form: .absolute, authority: authority)
  }

  /// Reads path and query, which reach from an index of the buffer to its end.
  private convenience init(pathFrom start: Int, of raw: ByteBuffer, form: Form, authority: String?) throws(MalformedMessage) {
    let result = raw.withUnsafeReadableBytes { whole -> Result<PathReader, MalformedMessage> in
      Result { () throws(MalformedMessage) in
        try PathReader(reading: UnsafeRawBufferPointer(rebasing: whole[(start - raw.readerIndex)...]))
      }
    }
    let reader = try result.get()
    var forwarded = raw
    if reader.lacksPath {
      // Go's `URL.RequestURI` writes the missing path, and so must whoever forwards the request.
      forwarded = ByteBuffer(string: "/")
      var query = raw
      query.moveReaderIndex(to: start)
      forwarded.writeBuffer(&query)
    } else if start != raw.readerIndex {
      forwarded.moveReaderIndex(to: start)
    }
    self.init(
      form: form, raw: raw, forwarded: forwarded, authority: authority, path: reader.path, query: reader.query,
      oddities: reader.oddities)
  }
}

extension MalformedMessage {
  static let emptyTarget = MalformedMessage("The request target is empty.")
  static let targetNotForConnect = MalformedMessage("CONNECT goes with host:port, and only CONNECT does.")
  static let asteriskNotForMethod = MalformedMessage("The request target * goes with OPTIONS alone.")
  static let targetWithoutSlash = MalformedMessage("The request target does not begin with a slash, nor is it a URL with a path.")
  static let brokenAuthority = MalformedMessage("The host in the request target holds a character that no host can hold.")
  static let rawByteInTarget = MalformedMessage("The request target holds a blank or control character; percent-encode it.")
  static let brokenEscape = MalformedMessage("A percent sign in the path is not followed by two hexadecimal digits; write it %25.")
}
