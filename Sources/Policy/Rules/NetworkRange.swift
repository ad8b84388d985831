public import SallyportStrictYAML

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An IP address as 16 bytes; an IPv4 address as the IPv6 address that stands for it (RFC 4291 section 2.5.5.2), so that a
/// dual-stack socket makes no difference.
struct NetworkAddress: Sendable, Hashable {
  let high: UInt64
  let low: UInt64
  /// Whether the text was dotted, or stood for such.
  var isIPv4: Bool { self.high == 0 && self.low >> 32 == 0xFFFF }

  /// Reads an address without brackets, port or zone; `nil` for anything else.
  init?(_ text: String) {
    var four = in_addr()
    var sixteen = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      self.high = 0
      self.low = 0xFFFF << 32 | UInt64(UInt32(bigEndian: four.s_addr))
    } else if inet_pton(AF_INET6, text, &sixteen) == 1 {
      (self.high, self.low) = withUnsafeBytes(of: &sixteen) { bytes in
        (
          UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
          UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
      }
    } else {
      return nil
    }
  }
}

/// A range of client addresses in CIDR notation: `10.0.0.0/8`, `2001:db8::/32`.
public struct NetworkRange: Sendable, Hashable, CustomStringConvertible {
  private let network: NetworkAddress
  private let highMask: UInt64
  private let lowMask: UInt64
  public let text: String

  /// Reads a range; one address alone is a range of itself.
  public init(parsing text: String) throws(ValueFault) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let address = NetworkAddress(String(parts[0])) else {
      throw ValueFault("is not a range of addresses", "write it as in 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32")
    }
    let longest = address.isIPv4 && !parts[0].contains(":") ? 32 : 128
    var length = longest
    if parts.count == 2 {
      guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let stated = Int(parts[1]),
        stated <= longest
      else { throw ValueFault("has no valid prefix length", "write a number up to \(longest) behind the slash") }
      length = stated
    }
    let bits = 128 - longest + length
    self.highMask = bits >= 64 ? .max : bits == 0 ? 0 : .max << UInt64(64 - bits)
    self.lowMask = bits <= 64 ? 0 : .max << UInt64(128 - bits)
    guard address.high & self.highMask == address.high, address.low & self.lowMask == address.low else {
      throw ValueFault("has bits set behind its prefix", "write the range's first address, or a longer prefix")
    }
    self.network = address
    self.text = text
  }

  func contains(_ address: NetworkAddress) -> Bool {
    address.high & self.highMask == self.network.high && address.low & self.lowMask == self.network.low
  }

  public var description: String { self.text }
}
