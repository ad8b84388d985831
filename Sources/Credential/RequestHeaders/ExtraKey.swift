import NIOCore

/// The key of an extra attribute as the end of a field's name.
///
/// The server lower-cases what stands behind the prefix and then percent-decodes it, so everything but lower-case letters,
/// digits, `-` and `.` is written as an escape: an upper-case letter that must stay one, bytes that no name may hold, the
/// percent sign itself, and `_`, which some servers turn into `-`. See k8s.io/apiserver,
/// pkg/authentication/request/headerrequest.
enum ExtraKey {
  static func write(_ key: String, to buffer: inout ByteBuffer) {
    for byte in key.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
        buffer.writeInteger(byte)
      default:
        buffer.writeInteger(UInt8(ascii: "%"))
        buffer.writeInteger(self.digits[Int(byte >> 4)])
        buffer.writeInteger(self.digits[Int(byte & 0xF)])
      }
    }
  }

  private static let digits = Array("0123456789abcdef".utf8)
}
