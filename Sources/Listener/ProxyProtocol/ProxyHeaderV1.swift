import NIOCore

/// Version 1 of the PROXY protocol: a line that a person can read.
///
/// ```
/// header  = "PROXY" SP ( "TCP4" SP ipv4 SP ipv4 SP port SP port / "TCP6" SP ipv6 SP ipv6 SP port SP port
///                      / "UNKNOWN" [ SP *anything ] ) CRLF          ; 107 bytes at most, CRLF included
/// port    = 1*5DIGIT                                                ; 0 to 65535, no leading zero
/// ```
/// One blank stands between two words, no more; addresses are written without zone, brackets or leading zeros.
enum ProxyHeaderV1 {
  static let signature = Array("PROXY ".utf8)
  static let mostBytes = 107

  static func read(_ bytes: ByteBufferView) throws(ProxyHeaderFault) -> (ProxyHeader, length: Int)? {
    guard bytes.starts(with: self.signature.prefix(bytes.count)) else { throw .missing }
    guard let end = bytes.prefix(self.mostBytes).firstIndex(of: UInt8(ascii: "\n")) else {
      guard bytes.count < self.mostBytes else { throw .malformed("the line has no end") }
      return nil
    }
    // A line end before the signature's own end would be no signature.
    let line = bytes[bytes.startIndex..<end]
    guard line.last == UInt8(ascii: "\r") else { throw .malformed("the line ends without CR") }
    let header = try self.header(line.dropLast().dropFirst(self.signature.count))
    return (header, end - bytes.startIndex + 1)
  }

  private static func header(_ text: ByteBufferView) throws(ProxyHeaderFault) -> ProxyHeader {
    let words = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { Array($0) }
    let isIPv4: Bool
    switch words[0] {
    // "The receiver must ignore anything presented before the CRLF is found."
    case Array("UNKNOWN".utf8): return .proxyItself
    case Array("TCP4".utf8): isIPv4 = true
    case Array("TCP6".utf8): isIPv4 = false
    default: throw .malformed("it names neither TCP4 nor TCP6 nor UNKNOWN")
    }
    guard words.count == 5 else { throw .malformed("it has not two addresses and two ports") }
    let read = isIPv4 ? self.ipv4 : self.ipv6
    guard let sourcePort = self.port(words[3]), self.port(words[4]) != nil else { throw .malformed("a port cannot be read") }
    guard let source = read(words[1], sourcePort), read(words[2], 0) != nil else { throw .malformed("an address cannot be read") }
    return .client(source)
  }

  private static func port(_ word: [UInt8]) -> Int? { self.number(word, most: 65535) }

  /// Digits without a leading zero; no sign and no blank.
  private static func number(_ word: some RandomAccessCollection<UInt8>, most: Int) -> Int? {
    guard (1...5).contains(word.count), word.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      word.count == 1 || word.first != UInt8(ascii: "0")
    else { return nil }
    let value = word.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    return value <= most ? value : nil
  }

  private static func ipv4(_ word: [UInt8], port: Int) -> SocketAddress? {
    let parts = word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { self.number($0, most: 255) }
    guard parts.count == 4, !parts.contains(nil) else { return nil }
    return try? SocketAddress(ipAddress: String(decoding: word, as: UTF8.self), port: port)
  }

  private static func ipv6(_ word: [UInt8], port: Int) -> SocketAddress? {
    let isWritten = word.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
        UInt8(ascii: ":"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard isWritten, let address = try? SocketAddress(ipAddress: String(decoding: word, as: UTF8.self), port: port), case .v6 = address
    else { return nil }
    return address
  }
}
