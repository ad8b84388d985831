public import NIOCore
public import SallyportCore

/// A range of IP addresses in CIDR notation: `10.0.0.0/8`, `2001:db8::/32`, or one address.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
  public let description: String
  private let bytes: [UInt8]
  private let prefix: Int

  /// Reads a range.
  ///
  /// - Throws: ``ListenerProblem/addressRangeUnreadable`` for a text that is none, and for one whose address has bits set
  ///   behind its prefix: `10.1.2.3/8` is a slip of which nobody knows what was meant.
  public init(_ text: String) throws(Problem) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = try? SocketAddress(ipAddress: String(parts[0]), port: 0), let bytes = PeerAddress(address)?.bytes else {
      throw ListenerProblem.addressRangeUnreadable.with(detail: "\"\(text)\" is no IP address and no range like 10.0.0.0/8")
    }
    var prefix = bytes.count * 8
    if parts.count == 2 {
      guard let length = Int(parts[1]), String(length) == parts[1], length >= 0, length <= bytes.count * 8 else {
        throw ListenerProblem.addressRangeUnreadable.with(detail: "\"\(text)\": the prefix length is a number from 0 to \(bytes.count * 8)")
      }
      prefix = length
    }
    guard PeerAddress.masked(bytes, prefix: prefix) == bytes else {
      throw ListenerProblem.addressRangeUnreadable.with(detail: "\"\(text)\": bits are set behind the prefix")
    }
    self.description = text
    self.bytes = bytes
    self.prefix = prefix
  }

  public func contains(_ address: SocketAddress) -> Bool {
    PeerAddress(address).map(self.contains) ?? false
  }

  func contains(_ peer: PeerAddress) -> Bool {
    peer.bytes.count == self.bytes.count && PeerAddress.masked(peer.bytes, prefix: self.prefix) == self.bytes
  }
}

/// The bytes of a peer's IP address; an IPv4 address that came over an IPv6 socket is an IPv4 address.
struct PeerAddress: Hashable, Sendable {
  let bytes: [UInt8]

  init?(_ address: SocketAddress) {
    // The address stands behind family and port in `sockaddr_in`, and behind the flow label too in `sockaddr_in6`.
    switch address {
    case .v4:
      self.bytes = address.withSockAddr { pointer, size in Array(UnsafeRawBufferPointer(start: pointer, count: size)[4..<8]) }
    case .v6:
      let bytes = address.withSockAddr { pointer, size in Array(UnsafeRawBufferPointer(start: pointer, count: size)[8..<24]) }
      let isMapped = bytes[0..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
      self.bytes = isMapped ? Array(bytes[12...]) : bytes
    case .unixDomainSocket:
      return nil
    }
  }

  /// What connections are counted by: an IPv6 client has its /64 for the asking.
  var countedBy: [UInt8] { self.bytes.count == 16 ? Array(self.bytes[0..<8]) : self.bytes }

  static func masked(_ bytes: [UInt8], prefix: Int) -> [UInt8] {
    bytes.enumerated().map { index, byte in
      let kept = min(max(prefix - index * 8, 0), 8)
      return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
    }
  }
}

extension ClientAddress {
  /// The address of a peer, an IPv4-mapped one as the IPv4 address that it is.
  init(peer: SocketAddress?) {
    guard let peer, case .v6 = peer, let bytes = PeerAddress(peer)?.bytes, bytes.count == 4 else {
      self.init(peer)
      return
    }
    self.init(ip: bytes.map(String.init).joined(separator: "."), port: peer.port ?? 0)
  }
}
