import NIOCore

/// A frame as it stands on the wire, with nothing checked (RFC 9113 section 4.1).
struct HTTP2TestFrame: Sendable, Equatable, CustomStringConvertible {
  var type: UInt8
  var flags: UInt8 = 0
  var stream: UInt32 = 0
  var payload: [UInt8] = []

  static let endStream: UInt8 = 0x1
  static let endHeaders: UInt8 = 0x4

  var endsStream: Bool { (self.type == 0 || self.type == 1) && self.flags & Self.endStream != 0 }
  var isGoAway: Bool { self.type == 7 }
  /// The error code of RST_STREAM or GOAWAY.
  var errorCode: UInt32? {
    switch self.type {
    case 3: Self.number(self.payload.prefix(4))
    case 7: Self.number(self.payload.dropFirst(4).prefix(4))
    default: nil
    }
  }
  /// The last stream of GOAWAY, or the increment of WINDOW_UPDATE.
  var number: UInt32 { Self.number(self.payload.prefix(4)) & 0x7FFF_FFFF }

  var bytes: [UInt8] {
    Self.bytes(UInt32(self.payload.count)).dropFirst() + [self.type, self.flags] + Self.bytes(self.stream) + self.payload
  }

  var description: String { "frame(type \(self.type) flags \(self.flags) stream \(self.stream) length \(self.payload.count))" }

  static func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }

  private static func number(_ bytes: some Sequence<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}

extension HTTP2TestFrame {
  static func data(_ stream: UInt32, _ bytes: [UInt8] = [], ends: Bool = false) -> Self {
    Self(type: 0, flags: ends ? self.endStream : 0, stream: stream, payload: bytes)
  }

  static func headers(_ stream: UInt32, _ fields: [(String, String)], ends: Bool = true, endsHeaders: Bool = true) -> Self {
    Self(
      type: 1, flags: (ends ? self.endStream : 0) | (endsHeaders ? self.endHeaders : 0), stream: stream, payload: self.section(fields))
  }

  static func continuation(_ stream: UInt32, _ section: [UInt8] = [], endsHeaders: Bool = false) -> Self {
    Self(type: 9, flags: endsHeaders ? self.endHeaders : 0, stream: stream, payload: section)
  }

  static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> Self { Self(type: 3, stream: stream, payload: self.bytes(code)) }

  static func settings(_ settings: [(UInt16, UInt32)] = []) -> Self {
    Self(type: 4, payload: settings.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] + self.bytes($1) })
  }

  static let settingsAck = Self(type: 4, flags: 1)

  static func ping(_ data: [UInt8] = Array(repeating: 0, count: 8), ack: Bool = false) -> Self {
    Self(type: 6, flags: ack ? 1 : 0, payload: data)
  }

  static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> Self { Self(type: 8, stream: stream, payload: self.bytes(increment)) }

  /// A GET, or another request, in its usual form.
  static func request(
    _ stream: UInt32, _ path: String = "/echo", method: String = "GET", ends: Bool = true, _ fields: [(String, String)] = []
  ) -> Self {
    .headers(
      stream, [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)] + fields, ends: ends)
  }

  /// Fields as literals that enter no table (RFC 7541 section 6.2.2): what is sent is what is written here.
  static func section(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0] + self.string(Array($0.utf8)) + self.string(Array($1.utf8)) }
  }

  static func string(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
    var length = bytes.count - 127
    var encoded: [UInt8] = [127]
    while length >= 128 {
      encoded.append(UInt8(length % 128) | 0x80)
      length /= 128
    }
    return encoded + [UInt8(length)] + bytes
  }
}
