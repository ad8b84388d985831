import SallyportStrictYAML

/// A range of IP addresses in CIDR notation: `10.0.0.0/8`, `2001:db8::/32` (RFC 4632, RFC 4291 section 2.3).
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
  /// The first address of the range.
  public let network: IPAddress
  /// How many leading bits all addresses of the range share.
  public let prefixLength: Int

  /// Reads a range; one address is a range of length 32 or 128.
  init(parsing text: String) throws(ValueFault) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(parts[0]) else {
      throw ValueFault("is not a range of addresses", "write it as in 10.0.0.0/8, 192.0.2.7/32 or 2001:db8::/32")
    }
    let longest = address.bytes.count * 8
    guard parts[1].allSatisfy({ $0.isASCII && $0.isNumber }), let length = Int(parts[1]), length <= longest else {
      throw ValueFault("has no valid prefix length", "write a number from 1 to \(longest) behind the slash")
    }
    guard length > 0 else { throw ValueFault("holds every address there is", "name the addresses of the proxies in front") }
    guard address == address.masked(to: length) else {
      throw ValueFault("has bits set behind its prefix", "write \(address.masked(to: length))/\(length), or a longer prefix")
    }
    self.network = address
    self.prefixLength = length
  }

  public func contains(_ address: IPAddress) -> Bool {
    address.bytes.count == self.network.bytes.count && address.masked(to: self.prefixLength) == self.network
  }

  /// Whether the range holds an address in text form; text that is no address is in no range.
  public func contains(ip: String) -> Bool {
    IPAddress(ip).map(self.contains) ?? false
  }

  public var description: String { "\(self.network)/\(self.prefixLength)" }
}
