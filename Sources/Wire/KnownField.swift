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
    }
  }

  /// Whether the field says who the client is or where it comes from, so that a client's own never goes upstream.
  ///
  /// These names are recognised in every spelling that some server folds into them (`X_Remote_User`), the others only
  /// as they are (`Content_Length` is no length).
  public var isIdentity: Bool {
    switch self {
    case .proxyAuthorization, .auditID, .xRemoteUser, .xRemoteUID, .xRemoteGroup, .xRemoteExtra, .xRemoteOther,
      .impersonateUser, .impersonateUID, .impersonateGroup, .impersonateExtra, .impersonateOther,
      .forwarded, .xForwarded, .xForwardedFor, .xRealIP, .authorization:
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

/// Finds a ``KnownField`` by length and folded bytes.
struct FieldNameTable: Sendable {
  static let shared = FieldNameTable()

  private struct Candidate: Sendable {
    let folded: [UInt8]
    let field: KnownField
  }

  /// Exact names by their length; the longest known name is below 32 bytes.
  private let exact: [[Candidate]]
  /// Prefix families, the longer prefix first, so that `X-Remote-Extra-` wins over `X-Remote-`.
  private let prefixes: [Candidate]

  private init() {
    var exact = [[Candidate]](repeating: [], count: 32)
    var prefixes: [Candidate] = []
    for field in KnownField.allCases {
      let candidate = Candidate(folded: field.name.utf8.map(Self.fold), field: field)
      if field.name.hasSuffix("-") {
        prefixes.append(candidate)
      } else {
        exact[candidate.folded.count].append(candidate)
      }
    }
    self.exact = exact
    self.prefixes = prefixes.sorted { $0.folded.count > $1.folded.count }
  }

  func find(_ name: UnsafeRawBufferPointer) -> KnownField? {
    if name.count < self.exact.count {
      for candidate in self.exact[name.count] where Self.matches(name, candidate.folded) {
        return Self.admit(candidate.field, spelled: name)
      }
    }
    // Only names that begin with `i` or `x` belong to a family; most fields leave here.
    guard let first = name.first, first | 0x20 == UInt8(ascii: "x") || first | 0x20 == UInt8(ascii: "i") else { return nil }
    for candidate in self.prefixes where name.count >= candidate.folded.count && Self.matches(name, candidate.folded) {
      return candidate.field
    }
    return nil
  }

  /// `_` stands for `-` only where mistaking it would let a client say who it is.
  private static func admit(_ field: KnownField, spelled name: UnsafeRawBufferPointer) -> KnownField? {
    field.isIdentity || !name.contains(UInt8(ascii: "_")) ? field : nil
  }

  private static func matches(_ name: UnsafeRawBufferPointer, _ folded: [UInt8]) -> Bool {
    // The last byte tells most names of one length apart.
    guard let last = folded.last, self.fold(name[folded.count - 1]) == last else { return false }
    for index in folded.indices where self.fold(name[index]) != folded[index] { return false }
    return true
  }

  private static func fold(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
    case UInt8(ascii: "_"): UInt8(ascii: "-")
    default: byte
    }
  }
}
