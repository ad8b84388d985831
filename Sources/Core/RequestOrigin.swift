import NIOCore
public import SallyportWire

/// Where a request comes from: the peer, or what a trusted peer says of it in `X-Forwarded-For`.
///
/// The field is read from the right, because each proxy appends the address that it saw: the first address that is not
/// itself a trusted peer's is the client's, and what stands to its left is what the client says. A client can write there
/// what it likes, so that nothing there changes anything.
public struct RequestOrigin: Sendable, Hashable {
  /// Who is connected.
  public let peer: ClientAddress
  /// Whose address counts: for the throttle, for the policies' address conditions and in logs.
  public let client: ClientAddress
  /// The addresses of the field in their order, the farthest first; the peer is not among them. Only what is an address
  /// stands here, as it is written canonically.
  public let claimed: [String]

  /// More proxies than stand before anybody's; what is farther is forgotten.
  public static let mostClaimed = 16

  /// A request of a peer that speaks for itself.
  public init(peer: ClientAddress) {
    self.peer = peer
    self.client = peer
    self.claimed = []
  }

  /// The origin of a request; the field is looked at only if a trusted peer sent it.
  public init(of fields: HeaderFields, on connection: ConnectionFacts) {
    guard connection.isTrustedPeer else {
      self.init(peer: connection.clientAddress)
      return
    }
    self.init(of: fields, through: connection.clientAddress, isTrusted: connection.isTrustedAddress)
  }

  /// What a trusted peer says.
  ///
  /// - Parameter isTrusted: whether an address in canonical form is a trusted peer's
  init(of fields: HeaderFields, through peer: ClientAddress, isTrusted: (String) -> Bool) {
    self.peer = peer
    var claimed: [String] = []
    // The peer's own address until one is found. It stays that where the chain breaks off: an address that cannot be read
    // is nobody's, and what is behind it may be the client's invention.
    var client = peer
    var isFound = false
    // Repeated fields are one list (RFC 9110 section 5.2), read from its end.
    search: for field in fields.all(.xForwardedFor).reversed() where field.isSpelledAsDefined {
      for element in field.withValue({ Self.lastElements(of: $0) }) {
        guard claimed.count < Self.mostClaimed else { break search }
        guard let address = Self.address(element) else {
          if !isFound { client = peer }
          isFound = true
          continue
        }
        claimed.append(address)
        guard !isFound else { continue }
        // A chain of proxies alone begins at the farthest.
        client = ClientAddress(ip: address, port: 0)
        isFound = !isTrusted(address)
      }
    }
    self.client = client
    self.claimed = claimed.reversed()
  }

  /// `X-Forwarded-For` for the next server: the chain with the peer at its end.
  public var forwardedFor: String {
    self.claimed.isEmpty ? self.peer.ip : (self.claimed + [self.peer.ip]).joined(separator: ", ")
  }

  /// The list's elements from the last on, without the blanks around them; no more than are looked at.
  private static func lastElements(of value: some BidirectionalCollection<UInt8>) -> [[UInt8]] {
    var elements: [[UInt8]] = []
    var end = value.endIndex
    while elements.count <= self.mostClaimed {
      let start = value[..<end].lastIndex(of: UInt8(ascii: ",")).map { value.index(after: $0) } ?? value.startIndex
      var element = Array(value[start..<end].drop { $0 == 0x20 || $0 == 0x09 })
      while let last = element.last, last == 0x20 || last == 0x09 { element.removeLast() }
      // Empty elements of a list count for nothing (RFC 9110 section 5.6.1).
      if !element.isEmpty { elements.append(element) }
      guard start > value.startIndex else { break }
      end = value.index(before: start)
    }
    return elements
  }

  /// An IP address without brackets, port or zone, in canonical form; an IPv4 address written as IPv6 is an IPv4 address.
  private static func address(_ element: [UInt8]) -> String? {
    guard element.count <= 45, element.allSatisfy(self.isAddressByte),
      let address = try? SocketAddress(ipAddress: String(decoding: element, as: UTF8.self), port: 0), let text = address.ipAddress
    else { return nil }
    let mapped = "::ffff:"
    return text.hasPrefix(mapped) && text.contains(".") ? String(text.dropFirst(mapped.count)) : text
  }

  private static func isAddressByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
      UInt8(ascii: ":"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
