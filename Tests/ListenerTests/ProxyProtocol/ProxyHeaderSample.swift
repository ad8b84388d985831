import NIOCore

@testable import SallyportListener

/// PROXY headers as proxies write them, built here by hand from the specification.
enum ProxyHeaderSample {
  static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A] + Array("QUIT\n".utf8)

  static func v1(_ line: String) -> [UInt8] { Array("\(line)\r\n".utf8) }

  /// - Parameters:
  ///   - stated: what the length field says; by default the truth
  static func v2(_ payload: [UInt8], stated: Int? = nil) -> [UInt8] { self.v2(0x21, 0x11, payload, stated: stated) }

  static func v2(_ command: UInt8, _ family: UInt8, _ payload: [UInt8], stated: Int? = nil) -> [UInt8] {
    let length = stated ?? payload.count
    return self.signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + payload
  }

  /// From 203.0.113.7:40000 to 198.51.100.1:8443.
  static let ipv4: [UInt8] = [203, 0, 113, 7, 198, 51, 100, 1, 0x9C, 0x40, 0x20, 0xFB]
  /// From [2001:db8::7]:40000 to [2001:db8::1]:8443.
  static let ipv6: [UInt8] =
    [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
    + [0x9C, 0x40, 0x20, 0xFB]

  static func tlv(_ type: UInt8, _ value: [UInt8]) -> [UInt8] { [type, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value }

  /// A header with a checksum; the checksum is the one that the HAProxy of the system tests writes, too.
  static func checksummed(_ payload: [UInt8]) -> [UInt8] {
    var header = Self.v2(payload + Self.tlv(3, [0, 0, 0, 0]))
    let sum = CRC32C.checksum(header)
    header.replaceSubrange(header.count - 4..<header.count, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) })
    return header
  }

  /// What is good, and what it says.
  static let good: [(bytes: [UInt8], says: String)] = [
    (v1("PROXY TCP4 203.0.113.7 198.51.100.1 40000 8443"), "203.0.113.7:40000"),
    (v1("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535"), "0.0.0.0:0"),
    (v1("PROXY TCP6 2001:db8::7 2001:db8::1 40000 8443"), "[2001:db8::7]:40000"),
    (v1("PROXY TCP6 ::ffff:203.0.113.7 ::1 40000 8443"), "203.0.113.7:40000"),
    (
      v1(
        "PROXY TCP6 ffff:f...f:ffff".replacing("f...f", with: "ffff:ffff:ffff:ffff:ffff:ffff")
          + " ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535"), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"
    ),
    (v1("PROXY UNKNOWN"), "itself"),
    (v1("PROXY UNKNOWN 203.0.113.7 whatever \u{E9}"), "itself"),
    (v2(ipv4), "203.0.113.7:40000"),
    (v2(0x21, 0x21, ipv6), "[2001:db8::7]:40000"),
    (v2(ipv4 + tlv(4, [UInt8](repeating: 0, count: 50)) + tlv(2, Array("api.example.org".utf8))), "203.0.113.7:40000"),
    (v2(ipv4 + tlv(0xEA, [UInt8](repeating: 1, count: 4096 - 16 - 12 - 3))), "203.0.113.7:40000"),
    (checksummed(ipv4), "203.0.113.7:40000"),
    (v2(0x20, 0x00, []), "itself"),
    (v2(0x20, 0x11, ipv4), "itself"),
    (v2(0x20, 0x00, [1, 2, 3]), "itself"),
  ]

  static let missing: [[UInt8]] = [
    [0x16, 3, 1], Array("GET / HTTP/1.1\r\n".utf8), Array("PRI * HTTP/2.0\r\n".utf8), Array("PROXY\r\n".utf8), Array("proxy TCP4".utf8),
    [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A] + Array("QUIT\r".utf8), [0x0D, 0x0A, 0x0A], [0],
  ]

  static let malformed: [[UInt8]] =
    [
      "PROXY ", "PROXY TCP4", "PROXY TCP5 203.0.113.7 198.51.100.1 1 2", "PROXY UDP4 203.0.113.7 198.51.100.1 1 2",
      "PROXY tcp4 203.0.113.7 198.51.100.1 1 2", "PROXY TCP4 203.0.113.7 198.51.100.1 1", "PROXY TCP4 203.0.113.7 198.51.100.1 1 2 3",
      "PROXY TCP4  203.0.113.7 198.51.100.1 1 2", "PROXY TCP4 203.0.113.7 198.51.100.1 1 2 ", "PROXY TCP4 203.0.113.7\t198.51.100.1 1 2",
      "PROXY TCP4 203.0.113.07 198.51.100.1 1 2", "PROXY TCP4 203.0.113 198.51.100.1 1 2", "PROXY TCP4 203.0.113.256 198.51.100.1 1 2",
      "PROXY TCP4 203.0.113.7. 198.51.100.1 1 2", "PROXY TCP4 0x7f.0.0.1 198.51.100.1 1 2", "PROXY TCP4 2001:db8::7 2001:db8::1 1 2",
      "PROXY TCP4 203.0.113.7 nowhere 1 2", "PROXY TCP6 203.0.113.7 198.51.100.1 1 2", "PROXY TCP6 fe80::1%eth0 ::1 1 2",
      "PROXY TCP6 [::1] ::1 1 2", "PROXY TCP6 :::1 ::1 1 2", "PROXY TCP4 203.0.113.7 198.51.100.1 65536 2",
      "PROXY TCP4 203.0.113.7 198.51.100.1 01 2", "PROXY TCP4 203.0.113.7 198.51.100.1 -1 2", "PROXY TCP4 203.0.113.7 198.51.100.1 +1 2",
      "PROXY TCP4 203.0.113.7 198.51.100.1 1 2\r", "PROXY TCP4 203.0.113.7 198.51.100.1  2",
    ].map { v1($0) }
    + [
      Array("PROXY TCP4 203.0.113.7 198.51.100.1 1 2\n".utf8), Array("PROXY UNKNOWN\n".utf8),
      Array("PROXY UNKNOWN \(String(repeating: "x", count: 93))".utf8),
      v2(0x11, 0x11, ipv4), v2(0x31, 0x11, ipv4), v2(0x22, 0x11, ipv4), v2(0x2F, 0x11, ipv4), v2(0x21, 0x00, ipv4), v2(0x21, 0x12, ipv4),
      v2(0x21, 0x22, ipv6), v2(0x21, 0x31, [UInt8](repeating: 0, count: 216)), v2(0x21, 0x10, ipv4), v2(0x21, 0x41, ipv4),
      v2(Array(ipv4.dropLast())), v2(0x21, 0x21, ipv4), v2([]), v2(ipv4 + [4]), v2(ipv4 + [4, 0]), v2(ipv4 + [4, 0, 1]),
      v2(ipv4 + tlv(4, [1]) + [0]), v2(ipv4 + tlv(3, [1, 2, 3])), v2(ipv4 + tlv(3, [1, 2, 3, 4])), v2(ipv4, stated: 4081),
      v2(ipv4, stated: 65535), v2(0x20, 0, [], stated: 4081),
    ]
}
