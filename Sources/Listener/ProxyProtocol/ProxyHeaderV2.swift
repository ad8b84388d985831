import NIOCore

/// Version 2 of the PROXY protocol: a binary header.
///
/// ```
/// header    = signature(12) version-command(1) family-transport(1) length(2) addresses TLVs   ; big endian
/// command   = 0x20 (LOCAL) / 0x21 (PROXY)
/// family    = 0x11 (TCP over IPv4: 4 + 4 + 2 + 2 bytes) / 0x21 (TCP over IPv6: 16 + 16 + 2 + 2 bytes)
/// TLV       = type(1) length(2) value
/// ```
/// A `LOCAL` header says nothing of addresses, and what it carries is passed over. A `PROXY` header of another family or of
/// datagrams is refused: what it says cannot be the address of a TCP client, and the proxy's own must not stand in for it.
/// TLVs are passed over, but they have to fill the header exactly, and a checksum among them has to be right.
enum ProxyHeaderV2 {
  static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
  /// The largest header that is taken, in bytes. HAProxy's and the clouds' have a few hundred.
  static let mostBytes = 4096
  private static let fixedBytes = 16
  private static let checksumType: UInt8 = 0x03

  static func read(_ bytes: ByteBufferView) throws(ProxyHeaderFault) -> (ProxyHeader, length: Int)? {
    guard bytes.starts(with: self.signature.prefix(bytes.count)) else { throw .missing }
    // What is wrong is said at the byte that is wrong, so that nobody waits for the rest of what will be refused.
    let start = bytes.startIndex
    guard bytes.count > 12 else { return nil }
    let isLocal: Bool
    switch bytes[start + 12] {
    case 0x20: isLocal = true
    case 0x21: isLocal = false
    case 0x22...0x2F: throw .malformed("it has an unknown command")
    default: throw .malformed("it is of another version than 1 and 2")
    }
    guard bytes.count > 13 else { return nil }
    let addressBytes: Int
    switch bytes[start + 13] {
    case _ where isLocal: addressBytes = 0
    case 0x11: addressBytes = 4
    case 0x21: addressBytes = 16
    default: throw .malformed("it is not about TCP over IPv4 or IPv6")
    }
    guard bytes.count >= self.fixedBytes else { return nil }
    let length = self.fixedBytes + Int(bytes[start + 14]) << 8 + Int(bytes[start + 15])
    guard length <= self.mostBytes else { throw .malformed("it is too long") }
    let addressEnd = self.fixedBytes + (isLocal ? 0 : 2 * addressBytes + 4)
    guard length >= addressEnd else { throw .malformed("it is too short for its addresses") }
    guard bytes.count >= length else { return nil }
    guard !isLocal else { return (.proxyItself, length) }

    let header = Array(bytes[start..<start + length])
    try self.checkTLVs(of: header, from: addressEnd)
    let portAt = self.fixedBytes + 2 * addressBytes
    let port = Int(header[portAt]) << 8 | Int(header[portAt + 1])
    guard
      let address = try? SocketAddress(
        packedIPAddress: ByteBuffer(bytes: header[self.fixedBytes..<self.fixedBytes + addressBytes]), port: port)
    else { throw .malformed("its address cannot be read") }
    return (.client(address), length)
  }

  private static func checkTLVs(of header: [UInt8], from first: Int) throws(ProxyHeaderFault) {
    var at = first
    while at < header.count {
      guard at + 3 <= header.count else { throw .malformed("a TLV is cut off") }
      let end = at + 3 + Int(header[at + 1]) << 8 + Int(header[at + 2])
      guard end <= header.count else { throw .malformed("a TLV is cut off") }
      if header[at] == self.checksumType {
        guard end - at == 7 else { throw .malformed("its checksum is not of four bytes") }
        let stated = header[at + 3..<end].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        var zeroed = header
        for index in at + 3..<end { zeroed[index] = 0 }
        guard CRC32C.checksum(zeroed) == stated else { throw .malformed("its checksum is wrong") }
      }
      at = end
    }
  }
}

/// The Castagnoli checksum (RFC 3720 appendix B.4), bit by bit: it is taken once a connection, over a few dozen bytes.
enum CRC32C {
  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var register = UInt32.max
    for byte in bytes {
      register ^= UInt32(byte)
      for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0x82F6_3B78 : register >> 1 }
    }
    return ~register
  }
}
