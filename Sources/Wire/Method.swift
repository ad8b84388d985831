/// A request's method, as it was spelled: methods are case-sensitive (RFC 9110 section 9.1).
public enum Method: Hashable, Sendable, CustomStringConvertible {
  case get, head, post, put, patch, delete, options, connect, trace
  /// Any other token.
  case other(String)

  public init(_ name: String) {
    switch name {
    case "GET": self = .get
    case "HEAD": self = .head
    case "POST": self = .post
    case "PUT": self = .put
    case "PATCH": self = .patch
    case "DELETE": self = .delete
    case "OPTIONS": self = .options
    case "CONNECT": self = .connect
    case "TRACE": self = .trace
    default: self = .other(name)
    }
  }

  /// Reads a token's bytes; a standard method costs no string.
  init(tokenBytes bytes: UnsafeRawBufferPointer) {
    // Seven letters fit into a number, so that one comparison tells the methods apart.
    var word: UInt64 = 0
    if bytes.count <= 7 {
      for byte in bytes { word = word << 8 | UInt64(byte) }
    }
    switch word {
    case 0x47_45_54: self = .get
    case 0x48_45_41_44: self = .head
    case 0x50_4F_53_54: self = .post
    case 0x50_55_54: self = .put
    case 0x50_41_54_43_48: self = .patch
    case 0x44_45_4C_45_54_45: self = .delete
    case 0x4F_50_54_49_4F_4E_53: self = .options
    case 0x43_4F_4E_4E_45_43_54: self = .connect
    case 0x54_52_41_43_45: self = .trace
    default: self = .other(String(decoding: bytes, as: UTF8.self))
    }
  }

  public var description: String {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .patch: "PATCH"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .connect: "CONNECT"
    case .trace: "TRACE"
    case .other(let name): name
    }
  }

  /// The method in lower case, as the API server writes a verb for what is no resource.
  public var lowercased: String {
    switch self {
    case .get: "get"
    case .head: "head"
    case .post: "post"
    case .put: "put"
    case .patch: "patch"
    case .delete: "delete"
    case .options: "options"
    case .connect: "connect"
    case .trace: "trace"
    case .other(let name): name.lowercased()
    }
  }

  /// Whether the method promises to change nothing (RFC 9110 section 9.2.1).
  public var isSafe: Bool {
    switch self {
    case .get, .head, .options, .trace: true
    case .post, .put, .patch, .delete, .connect, .other: false
    }
  }

  /// Whether sending the request twice means the same as sending it once (RFC 9110 section 9.2.2).
  public var isIdempotent: Bool {
    switch self {
    case .get, .head, .options, .trace, .put, .delete: true
    case .post, .patch, .connect, .other: false
    }
  }
}
