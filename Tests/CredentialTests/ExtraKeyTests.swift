import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportCredential
import SallyportWire
import Testing

/// Keys of extra attributes, written by us and read by a model of the API server.
@Suite struct ExtraKeyTests {
  private static let hostile = [
    "scopes", "Scopes", "SCOPES", "example.com/key", "a_b", "a-b", "%", "%zz", "%41", "%2541", "100%", "a b", " ", "ä", "🚪", "a:b",
    "a\r\nb: c",
    "\u{0}", "\u{7F}", "%", "%%", "-", ".", "..", "a.", "+", "~", "/", "\u{FFFD}", "\u{212A}", "K", "İ", "ß", "e\u{301}", "\u{E9}",
  ]

  @Test(arguments: Self.hostile)
  func theServerReadsTheKeyThatWeMeant(_ key: String) throws {
    for impersonates in [false, true] {
      let extra = [Identity.Extra(key: key, values: ["v"])]
      let identity = Identity(username: "alice", groups: [], extra: impersonates ? [] : extra, method: .passwordFile)
      let lines = try RequestHeaderCredential(certificateFingerprint: "")
        .credential(for: .identity(identity), impersonating: impersonates ? RequestedImpersonation(user: "bob", extra: extra) : nil)
        .fieldLines
      let prefix = impersonates ? "Impersonate-Extra-" : "X-Remote-Extra-"
      #expect(Self.keys(behind: prefix, in: lines) == [Array(key.utf8)])
    }
  }

  @Test func everyByteOfAKeyArrives() throws {
    let key = String((1...0x10FF).compactMap(UnicodeScalar.init).map(Character.init))
    let identity = Identity(username: "alice", groups: [], extra: [.init(key: key, values: ["v"])], method: .passwordFile)
    let lines = try RequestHeaderCredential(certificateFingerprint: "").credential(for: .identity(identity), impersonating: nil).fieldLines
    #expect(Self.keys(behind: "X-Remote-Extra-", in: lines) == [Array(key.utf8)])
  }

  /// Keys that differ only by letter case or by `_` and `-` must not become one.
  @Test func keysThatDifferStayDifferent() throws {
    let keys = ["a-b", "a_b", "A-B", "A_B", "a%2db", "%61-b"]
    let identity = Identity(username: "alice", groups: [], extra: keys.map { .init(key: $0, values: ["v"]) }, method: .passwordFile)
    let lines = try RequestHeaderCredential(certificateFingerprint: "").credential(for: .identity(identity), impersonating: nil).fieldLines
    #expect(Self.keys(behind: "X-Remote-Extra-", in: lines) == keys.map { Array($0.utf8) })
  }

  // MARK: - The server

  /// As the API server reads keys: net/http demands tokens as names; then lower case, then one percent-decoding, and a
  /// key with a broken escape stays as it is.
  private static func keys(behind prefix: String, in lines: ByteBuffer) -> [[UInt8]] {
    var bytes = Array(lines.readableBytesView)
    var keys: [[UInt8]] = []
    while let end = bytes.firstRange(of: [0x0D, 0x0A]) {
      let line = bytes[..<end.lowerBound]
      bytes.removeSubrange(..<end.upperBound)
      let name = Array(line.prefix { $0 != UInt8(ascii: ":") })
      #expect(name.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }, "no token: \(name)")
      let lowered = String(decoding: name, as: UTF8.self).lowercased()
      guard lowered.hasPrefix(prefix.lowercased()) else { continue }
      let key = Array(lowered.dropFirst(prefix.count).utf8)
      keys.append(self.unescaped(key) ?? key)
    }
    #expect(bytes.isEmpty)
    return keys
  }

  private static func unescaped(_ key: [UInt8]) -> [UInt8]? {
    var pieces = key.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
    var result = Array(pieces.removeFirst())
    for piece in pieces {
      guard piece.count >= 2, let value = UInt8(String(decoding: piece.prefix(2), as: UTF8.self), radix: 16) else { return nil }
      result += [value] + piece.dropFirst(2)
    }
    return result
  }
}
