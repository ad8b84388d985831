import Glibc
import SallyportCore

/// The network that a client is counted with: an IPv4 address, or the /64 of an IPv6 address, which is the least that one
/// subscriber has (RFC 6177), so that its other addresses are no new chances.
enum ClientNetwork: Hashable, Sendable {
  case ipv4(UInt32)
  case ipv6(UInt64)
  /// Everybody whose address is not known, together.
  case unknown

  init(_ address: ClientAddress) {
    self = Self.ipv4(address.ip) ?? Self.ipv6(address.ip) ?? .unknown
  }

  private static func ipv4(_ text: String) -> ClientNetwork? {
    var bytes: UInt32 = 0
    return inet_pton(AF_INET, text, &bytes) == 1 ? .ipv4(UInt32(bigEndian: bytes)) : nil
  }

  private static func ipv6(_ text: String) -> ClientNetwork? {
    var bytes: (UInt64, UInt64) = (0, 0)
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    let (prefix, suffix) = (UInt64(bigEndian: bytes.0), UInt64(bigEndian: bytes.1))
    // ::ffff:192.0.2.1 is an IPv4 client on a socket for both; its /64 would be that of all of them.
    return prefix == 0 && suffix >> 32 == 0xFFFF ? .ipv4(UInt32(truncatingIfNeeded: suffix)) : .ipv6(prefix)
  }
}
