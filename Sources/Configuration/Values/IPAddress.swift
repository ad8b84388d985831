#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An IP address as 4 or 16 bytes in network order.
///
/// An IPv4 address that a dual-stack socket shows as IPv6 (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2) is the IPv4
/// address, so that a range of IPv4 addresses is not passed by through the other door.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
  public let bytes: [UInt8]

  /// Reads an address without brackets, port or zone; `nil` for anything else.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    var four = in_addr()
    var sixteen = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      self.bytes = withUnsafeBytes(of: &four) { Array($0) }
    } else if inet_pton(AF_INET6, text, &sixteen) == 1 {
      let bytes = withUnsafeBytes(of: &sixteen) { Array($0) }
      let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
      self.bytes = isMapped ? Array(bytes[12...]) : bytes
    } else {
      return nil
    }
  }

  fileprivate init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  public var isIPv6: Bool { self.bytes.count == 16 }

  public var description: String {
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    _ = inet_ntop(self.isIPv6 ? AF_INET6 : AF_INET, self.bytes, &buffer, socklen_t(buffer.count))
    return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  /// The address with all bits behind the first `length` set to zero.
  func masked(to length: Int) -> IPAddress {
    IPAddress(
      bytes: self.bytes.enumerated().map { index, byte in
        let kept = min(max(length - index * 8, 0), 8)
        return kept == 0 ? 0 : byte & (0xFF << (8 - kept))
      })
  }
}
