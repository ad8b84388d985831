import SallyportCore

/// The parts of an `Authorization` field's value (RFC 9110 section 11.4):
///
/// ```
/// credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
/// ```
///
/// Only ranges, so that a credential that was verified a moment ago is looked up without anything being copied.
struct AuthorizationField {
  /// Whether the scheme is `Basic`, in any letter case.
  let isBasic: Bool
  /// Whether the scheme is `Bearer` (RFC 6750 section 2.1), in any letter case.
  let isBearer: Bool
  /// Where everything behind the scheme and its blanks stands; empty where there is nothing.
  let token: Range<Int>

  init(reading value: UnsafeRawBufferPointer) {
    let schemeEnd = value.firstIndex(of: UInt8(ascii: " ")) ?? value.endIndex
    let tokenStart = value[schemeEnd...].firstIndex { $0 != UInt8(ascii: " ") } ?? value.endIndex
    self.token = tokenStart..<value.endIndex
    self.isBasic = value[..<schemeEnd].elementsEqual("basic".utf8) { Self.lowercased($0) == $1 }
    self.isBearer = value[..<schemeEnd].elementsEqual("bearer".utf8) { Self.lowercased($0) == $1 }
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
