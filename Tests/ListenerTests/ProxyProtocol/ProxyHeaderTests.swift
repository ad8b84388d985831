import NIOCore
import SallyportCore
import Testing

import class Foundation.ProcessInfo

@testable import SallyportListener

/// The header in front of a proxied connection, without a connection.
@Suite struct ProxyHeaderTests {
  private enum Outcome: Equatable {
    case waiting
    case says(String, rest: [UInt8])
    case missing
    case malformed
  }

  /// Feeds the bytes in these parts.
  private func outcome(of parts: [ArraySlice<UInt8>]) -> Outcome {
    var machine = ProxyHeaderStateMachine()
    for (index, part) in parts.enumerated() {
      switch machine.received(ByteBuffer(bytes: part)) {
      case .wait: continue
      case .refuse(.missing): return .missing
      case .refuse(.malformed(let reason)):
        #expect(!reason.isEmpty)
        return .malformed
      case .proceed(let header, let rest):
        let left = Array(rest.readableBytesView) + parts[(index + 1)...].flatMap { $0 }
        switch header {
        case .proxyItself: return .says("itself", rest: left)
        case .client(let address): return .says("\(ClientAddress(peer: address))", rest: left)
        }
      }
    }
    return .waiting
  }

  private func drip(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] { bytes.indices.map { bytes[$0...$0] } }

  @Test func goodHeadersAreReadAndWhatFollowsIsLeft() {
    for (bytes, says) in ProxyHeaderSample.good {
      #expect(self.outcome(of: [bytes[...]]) == .says(says, rest: []))
      #expect(self.outcome(of: [(bytes + [22, 3, 1])[...]]) == .says(says, rest: [22, 3, 1]))
    }
  }

  @Test func theyMayBeSplitAtEveryByte() {
    for (bytes, says) in ProxyHeaderSample.good {
      let followed = bytes + [22, 3]
      for cut in 0...followed.count {
        #expect(self.outcome(of: [followed[..<cut], followed[cut...]]) == .says(says, rest: [22, 3]))
      }
      #expect(self.outcome(of: self.drip(followed)) == .says(says, rest: [22, 3]))
    }
  }

  @Test func everyPrefixWaits() {
    for (bytes, _) in ProxyHeaderSample.good {
      for count in 0..<bytes.count { #expect(self.outcome(of: [bytes[..<count]]) == .waiting) }
    }
  }

  @Test func whatIsNoHeaderIsSeenAsSoonAsItIsSo() {
    for bytes in ProxyHeaderSample.missing {
      #expect(self.outcome(of: [bytes[...]]) == .missing, "\(bytes)")
      #expect(self.outcome(of: self.drip(bytes)) == .missing, "\(bytes)")
    }
  }

  @Test func whatIsWrittenInAnotherWayIsRefused() {
    for bytes in ProxyHeaderSample.malformed {
      #expect(self.outcome(of: [bytes[...]]) == .malformed, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
      #expect(self.outcome(of: self.drip(bytes)) == .malformed, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
    }
  }

  @Test func theChecksumIsThatOfTheStandard() {
    // RFC 3720 appendix B.4, and the usual check value.
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
  }

  @Test func aChecksumCoversEveryByte() {
    let good = ProxyHeaderSample.checksummed(ProxyHeaderSample.ipv4 + ProxyHeaderSample.tlv(4, [0, 0, 0]))
    #expect(self.outcome(of: [good[...]]) == .says("203.0.113.7:40000", rest: []))
    for index in good.indices {
      for bit in 0..<8 {
        var bytes = good
        bytes[index] ^= 1 << UInt8(bit)
        // Without its type the checksum is no checksum; the command alone says whether there are addresses.
        let isAddressed = index >= 16 + ProxyHeaderSample.ipv4.count
        if case .says(let who, _) = self.outcome(of: [bytes[...]]) {
          #expect(who == (isAddressed ? "203.0.113.7:40000" : "itself"), "byte \(index), bit \(bit)")
        }
      }
    }
  }

  /// Mutated headers: read alike however they are split, never beyond their bound, and version 1 only as a second reader,
  /// made of a regular expression, reads them.
  @Test(.timeLimit(.minutes(30))) func fuzzedHeadersAreReadInOneWayOnly() {
    let cases = min(ProcessInfo.processInfo.environment["SALLYPORT_FUZZ_CASES"].flatMap { Int($0) } ?? 20_000, 500_000)
    var random = SystemRandomNumberGenerator()
    let samples = ProxyHeaderSample.good.map(\.bytes) + ProxyHeaderSample.malformed
    let alphabet = Array("PROXYTCP46UNK 0123456789.:abcdef\r\n\t".utf8) + [0, 1, 0x11, 0x20, 0x21, 0xFF]
    var taken = 0
    for _ in 0..<cases {
      var bytes = samples.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
        let at = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] = alphabet.randomElement(using: &random) ?? 0
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: at)
        default: bytes[at] = UInt8.random(in: 0...255, using: &random)
        }
      }
      let whole = self.outcome(of: [bytes[...]])
      let cut = Int.random(in: 0...bytes.count, using: &random)
      // An expectation for each would take longer than what it is about.
      if self.outcome(of: [bytes[..<cut], bytes[cut...]]) != whole { Issue.record("read otherwise when cut at \(cut): \(bytes)") }
      if bytes.count < 60, self.outcome(of: self.drip(bytes)) != whole { Issue.record("read otherwise byte by byte: \(bytes)") }
      guard case .says(let who, let rest) = whole else { continue }
      taken += 1
      let header = bytes.dropLast(rest.count)
      if header.first == UInt8(ascii: "P") {
        if header.count > 107 || SecondReader.read(header) != who { Issue.record("read as \(who): \(bytes)") }
      } else {
        let isSaid = who == "itself" ? header[12] == 0x20 : header[12] == 0x21 && [0x11, 0x21].contains(header[13])
        if header.count > 4096 || !header.starts(with: ProxyHeaderSample.signature) || !isSaid { Issue.record("read as \(who): \(bytes)") }
      }
    }
    #expect(taken > cases / 50)
  }
}

/// Version 1, read in another way.
private enum SecondReader {
  static func read(_ line: ArraySlice<UInt8>) -> String? {
    // Bytes as characters one to one, so that nothing is repaired.
    let text = String(String.UnicodeScalarView(line.map { Unicode.Scalar($0) }))
    if text.wholeMatch(of: #/PROXY UNKNOWN( [^\n]*)?\r\n/#.matchingSemantics(.unicodeScalar).dotMatchesNewlines()) != nil {
      return "itself"
    }
    if let match = text.wholeMatch(of: #/PROXY TCP4 ([0-9.]+) ([0-9.]+) ([0-9]+) ([0-9]+)\r\n/#.matchingSemantics(.unicodeScalar)),
      [match.1, match.2].allSatisfy(self.isIPv4), [match.3, match.4].allSatisfy({ (Int($0) ?? 65536) < 65536 }),
      String(Int(match.3) ?? -1) == match.3, String(Int(match.4) ?? -1) == match.4
    {
      return "\(match.1):\(match.3)"
    }
    if let match = text.wholeMatch(
      of: #/PROXY TCP6 ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) ([0-9]+) ([0-9]+)\r\n/#.matchingSemantics(.unicodeScalar)),
      let address = try? SocketAddress(ipAddress: String(match.1), port: Int(match.3) ?? -1), match.1.contains(":"), match.2.contains(":"),
      String(Int(match.3) ?? -1) == match.3, let other = Int(match.4), other < 65536, String(other) == match.4
    {
      return "\(ClientAddress(peer: address))"
    }
    return nil
  }

  private static func isIPv4(_ text: Substring) -> Bool {
    let octets = text.split(separator: ".", omittingEmptySubsequences: false).map { part in Int(part).map { (part, $0) } }
    return octets.count == 4 && octets.allSatisfy { octet in octet.map { (0...255).contains($0.1) && String($0.1) == $0.0 } ?? false }
  }
}
