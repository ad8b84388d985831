/// The header fields that some station reads, removes or writes; every other field is carried as bytes.
///
/// A field is tagged once, when its head is parsed, so that the stations ask for a number and not for a string.
/// See RFC 9110 for the HTTP fields, and kubernetes/apiserver's `authentication/request/headerrequest` and
/// `endpoints/filters/impersonation` for the identity fields.
public enum KnownField: UInt8, Sendable, CaseIterable {
  // Message framing and connection management (RFC 9110 section 7.6, RFC 9112 section 6).
  case connection, contentLength, expect, host, keepAlive, proxyConnection, te, trailer, transferEncoding, upgrade
  // What a station reads.
  case accept, acceptEncoding, contentEncoding, contentType, cookie, date, location, origin, secFetchSite, secWebSocketProtocol
  case server, setCookie, userAgent, warning, wwwAuthenticate
  // Credentials, and who the client says it is.
  case authorization, proxyAuthenticate, proxyAuthorization, auditID
  case xRemoteUser, xRemoteUID, xRemoteGroup, xRemoteExtra, xRemoteOther
  case impersonateUser, impersonateUID, impersonateGroup, impersonateExtra, impersonateOther
  case forwarded, xForwarded, xForwardedFor, xRealIP
  // What some servers take for the method or the target in place of the request line's.
  case xHTTPMethodOverride, xHTTPMethod, xMethodOverride, xOriginalURL, xRewriteURL

  /// The name as the standard that defines it spells it; a prefix for the families `…Extra` and `…Other`.
  public var name: String {
    switch self {
    case .connection: "Connection"
    case .contentLength: "Content-Length"
    case .expect: "Expect"
    case .host: "Host"
    case .keepAlive: "Keep-Alive"
    case .proxyConnection: "Proxy-Connection"
    case .te: "TE"
    case .trailer: "Trailer"
    case .transferEncoding: "Transfer-Encoding"
    case .upgrade: "Upgrade"
    case .accept: "Accept"
    case .acceptEncoding: "Accept-Encoding"
    case .contentEncoding: "Content-Encoding"
    case .contentType: "Content-Type"
    case .cookie: "Cookie"
    case .date: "Date"
    case .location: "Location"
    case .origin: "Origin"
    case .secFetchSite: "Sec-Fetch-Site"
    case .secWebSocketProtocol: "Sec-WebSocket-Protocol"
    case .server: "Server"
    case .setCookie: "Set-Cookie"
    case .userAgent: "User-Agent"
    case .warning: "Warning"
    case .wwwAuthenticate: "WWW-Authenticate"
    case .authorization: "Authorization"
    case .proxyAuthenticate: "Proxy-Authenticate"
    case .proxyAuthorization: "Proxy-Authorization"
    case .auditID: "Audit-ID"
    case .xRemoteUser: "X-Remote-User"
    case .xRemoteUID: "X-Remote-Uid"
    case .xRemoteGroup: "X-Remote-Group"
    case .xRemoteExtra: "X-Remote-Extra-"
    case .xRemoteOther: "X-Remote-"
    case .impersonateUser: "Impersonate-User"
    case .impersonateUID: "Impersonate-Uid"
    case .impersonateGroup: "Impersonate-Group"
    case .impersonateExtra: "Impersonate-Extra-"
    case .impersonateOther: "Impersonate-"
    case .forwarded: "Forwarded"
    case .xForwarded: "X-Forwarded-"
    case .xForwardedFor: "X-Forwarded-For"
    case .xRealIP: "X-Real-Ip"
    case .xHTTPMethodOverride: "X-HTTP-Method-Override"
    case .xHTTPMethod: "X-HTTP-Method"
    case .xMethodOverride: "X-Method-Override"
    case .xOriginalURL: "X-Original-URL"
    case .xRewriteURL: "X-Rewrite-URL"
    }
  }

  /// Whether the name is a prefix that a family of fields shares.
  var isFamily: Bool {
    switch self {
    case .xRemoteExtra, .xRemoteOther, .impersonateExtra, .impersonateOther, .xForwarded: true
    default: false
    }
  }

  /// Whether the field says who the client is, where it comes from, or that it asks for something else than its request line
  /// says, so that a client's own never goes upstream.
  ///
  /// These names are recognised in every spelling that some server folds into them (`X_Remote.User`), the others only
  /// as they are (`Content_Length` is no length).
  public var isIdentity: Bool {
    switch self {
    case .proxyAuthorization, .auditID, .xRemoteUser, .xRemoteUID, .xRemoteGroup, .xRemoteExtra, .xRemoteOther,
      .impersonateUser, .impersonateUID, .impersonateGroup, .impersonateExtra, .impersonateOther,
      .forwarded, .xForwarded, .xForwardedFor, .xRealIP, .authorization,
      .xHTTPMethodOverride, .xHTTPMethod, .xMethodOverride, .xOriginalURL, .xRewriteURL:
      true
    default: false
    }
  }

  /// Whether the field is for this connection only (RFC 9110 section 7.6.1).
  public var isHopByHop: Bool {
    switch self {
    case .connection, .keepAlive, .proxyConnection, .te, .trailer, .transferEncoding, .upgrade, .proxyAuthenticate, .proxyAuthorization:
      true
    default: false
    }
  }

  /// The known field that a name's bytes stand for, in any letter case; `nil` for a name that no station knows.
  public init?(nameBytes name: UnsafeRawBufferPointer) {
    guard let found = FieldNameTable.shared.find(name) else { return nil }
    self = found
  }
}
