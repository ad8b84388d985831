import NIOCore
import NIOEmbedded
import NIOHTTP1
import SallyportWire

/// What NIOHTTP1, whose parser is Node's llhttp, makes of the bytes of a connection.
enum SecondOpinion {
  struct Requests {
    var requests: [ReadRequest] = []
    var refuses = false
    /// It stopped behind the last request, since that asks for another protocol.
    var stoppedForUpgrade = false
  }

  struct Responses {
    var responses: [ReadResponse] = []
    var refuses = false
  }

  /// The methods that llhttp reads as a request's; it knows no others. (From its list for HTTP; PRI opens HTTP/2 alone.)
  static let methods: Set<String> = [
    "DELETE", "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH",
    "SEARCH",
    "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL", "REPORT", "MKACTIVITY", "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY", "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PATCH", "PURGE", "MKCALENDAR", "LINK", "UNLINK", "SOURCE",
  ]

  static func read(_ bytes: [UInt8]) throws -> Requests {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
    var opinion = Requests()
    do {
      try channel.writeInbound(ByteBuffer(bytes: bytes))
    } catch {
      opinion.refuses = true
    }
    while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
      switch part {
      case .head(let head):
        opinion.requests.append(
          ReadRequest(
            method: head.method == .MSEARCH ? "M-SEARCH" : head.method.rawValue, target: head.uri, version: self.version(head.version),
            fields: self.lines(head.headers),
            keepsConnection: head.isKeepAlive))
        opinion.stoppedForUpgrade = head.method == .CONNECT || head.headers.contains(name: "Upgrade")
      case .body(let body): opinion.requests[opinion.requests.count - 1].body += body.readableBytesView
      case .end(let trailers):
        opinion.requests[opinion.requests.count - 1].trailers = trailers.map(self.lines) ?? []
        opinion.requests[opinion.requests.count - 1].isComplete = true
      }
    }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    return opinion
  }

  /// - Parameter ends: whether the connection ends behind the bytes
  static func read(_ bytes: [UInt8], answering methods: [String], ends: Bool) throws -> Responses {
    let channel = EmbeddedChannel()
    let decoder = HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)
    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(decoder))
    for method in methods {
      let head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: "/")
      try channel.writeOutbound(HTTPClientRequestPart.head(head))
    }
    var opinion = Responses()
    do {
      try channel.writeInbound(ByteBuffer(bytes: bytes))
      if ends { _ = try channel.finish(acceptAlreadyClosed: true) }
    } catch {
      opinion.refuses = true
    }
    while let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
      switch part {
      case .head(let head):
        let isInformational = head.status.code < 200 && head.status.code != 101
        opinion.responses.append(
          ReadResponse(
            status: Int(head.status.code), version: self.version(head.version), fields: self.lines(head.headers),
            keepsConnection: head.isKeepAlive, isInformational: isInformational, isComplete: isInformational))
      case .body(let body): opinion.responses[opinion.responses.count - 1].body += body.readableBytesView
      case .end(let trailers):
        opinion.responses[opinion.responses.count - 1].trailers = trailers.map(self.lines) ?? []
        opinion.responses[opinion.responses.count - 1].isComplete = true
      }
    }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    return opinion
  }

  /// Whether llhttp decides by rules of its own if the connection can be used again.
  ///
  /// In a message of HTTP/1.0 that says both, it lets `keep-alive` win over `close`, which RFC 9112 section 9.3 looks for
  /// first; it takes `Proxy-Connection`, which appendix C.2.2 warns of, for `Connection`; and a tab is no blank to it.
  static func judgesTheConnectionOtherwise(_ version: SallyportWire.HTTPVersion, _ fields: [String]) -> Bool {
    fields.contains { field in
      field.contains(/(?i)^proxy-connection:/) || version == .http10 && field.contains(/(?i)^connection:(.*,)?[ \t]*close[ \t]*(,|$)/)
        || field.contains(/(?i)^connection:.*\t/)
    }
  }

  private static func version(_ version: NIOHTTP1.HTTPVersion) -> SallyportWire.HTTPVersion {
    version == .http1_0 ? .http10 : .http11
  }

  /// The fields as Sallyport's readers give them: without those of framing, and without the blanks behind a value, which
  /// llhttp leaves there.
  private static func lines(_ headers: HTTPHeaders) -> [String] {
    headers.filter { $0.name.lowercased() != "content-length" && $0.name.lowercased() != "transfer-encoding" }.map { name, value in
      let end = value.utf8.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { value.utf8.index(after: $0) } ?? value.startIndex
      return "\(name): \(value[..<end])"
    }
  }
}
