import NIOCore
import SallyportCore
import SallyportIssuer
import SallyportWire

import struct Foundation.Date

/// Where the gateway's own pages and endpoints live: none of these paths is ever an upstream's.
enum OwnPaths {
  private static let prefix = "/.sallyport"

  static func covers(_ path: String) -> Bool {
    let own = self.prefix.utf8
    guard path.utf8.starts(with: own) else { return false }
    return path.utf8.count == own.count || path.utf8.dropFirst(own.count).first == UInt8(ascii: "/")
  }

  /// What is answered at one of them.
  ///
  /// - Throws: ``Problem`` 404 for what is not served, here or to this host; 405 for a method that reads nothing
  static func document(for request: StrippedRequest, _ generation: Generation, at now: Date) throws(Problem) -> OwnDocument {
    guard let served = generation.issuer, HostName(of: request.head)?.text == served.host else { throw .ownPathUnknown }
    let body: [UInt8]
    // By bytes: Swift's own comparison sees through Unicode normalisation.
    let path = Array(request.head.target.path.utf8.dropFirst(self.prefix.utf8.count))
    switch path {
    case Array("/.well-known/openid-configuration".utf8): body = served.issuer.discoveryDocument(at: now)
    case Array("/keys".utf8): body = served.issuer.keySet(at: now)
    default: throw .ownPathUnknown
    }
    guard request.head.method == .get || request.head.method == .head else { throw .ownDocumentReadOnly }
    return OwnDocument(contentType: "application/json", cacheSeconds: Self.cacheSeconds, body: ByteBuffer(bytes: body))
  }

  /// Where clients get tokens, if the request is for that; `nil` where there is no such thing, here or for this host.
  static func tokenEndpoint(for request: StrippedRequest, _ generation: Generation) -> TokenEndpoint? {
    guard let served = generation.issuer, let exchange = served.exchange, HostName(of: request.head)?.text == served.host,
      request.head.target.path.utf8.dropFirst(self.prefix.utf8.count).elementsEqual("/token".utf8)
    else { return nil }
    return TokenEndpoint(generation: generation, issuer: served.issuer, exchange: exchange)
  }

  /// Well below the time for which a new key is published before it signs (`KeyRotation.overlap`).
  private static let cacheSeconds = 300
}

/// A document of the gateway's own that anybody may read and keep for a while.
struct OwnDocument {
  let contentType: String
  /// How long it may be kept.
  let cacheSeconds: Int
  let body: ByteBuffer

  func head(for method: SallyportWire.Method, auditID: String) -> ResponseHead {
    var fields = HeaderFields()
    do {
      try fields.append("Content-Type", self.contentType)
      try fields.append("Cache-Control", "public, max-age=\(self.cacheSeconds)")
      try fields.append("X-Content-Type-Options", "nosniff")
      if !auditID.isEmpty { try fields.append("Audit-Id", auditID) }
    } catch {
      // Every value is a constant, a number or a UUID.
      assertionFailure("\(error)")
    }
    let length = UInt64(self.body.readableBytes)
    return ResponseHead(status: 200, fields: fields, framing: method == .head ? .none : .length(length), statedLength: length)
  }
}

extension Problem {
  static let ownDocumentReadOnly = Problem(
    "methodNotServed", blame: .client, status: 405, message: "This document can only be read, by GET or HEAD.")
}
