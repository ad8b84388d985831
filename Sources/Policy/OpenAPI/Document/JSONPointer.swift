/// A place in a document (RFC 6901).
struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
  let tokens: [String]

  static let root = JSONPointer(tokens: [])

  init(tokens: [String]) { self.tokens = tokens }

  func appending(_ token: String) -> JSONPointer { JSONPointer(tokens: self.tokens + [token]) }

  /// Reads a pointer that is a URI's fragment: `#/definitions/a~1b`, percent-encoded where it must be.
  ///
  /// - Returns: `nil` for anything else: another document, an anchor's name
  init?(fragment: some StringProtocol) {
    guard fragment.first == "#" else { return nil }
    let pointer = fragment.dropFirst()
    guard !pointer.isEmpty else {
      self.tokens = []
      return
    }
    guard pointer.first == "/" else { return nil }
    var tokens: [String] = []
    for token in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let decoded = Self.decode(token) else { return nil }
      tokens.append(decoded)
    }
    self.tokens = tokens
  }

  var description: String {
    self.tokens.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
  }

  /// `~1` is a slash and `~0` a tilde; a tilde before anything else stays, as it does with most readers.
  private static func decode(_ token: some StringProtocol) -> String? {
    guard token.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "%") }) else { return String(token) }
    guard let text = PercentText.decode(token.utf8) else { return nil }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch (decoded.last, byte) {
      case (UInt8(ascii: "~"), UInt8(ascii: "1")): decoded[decoded.count - 1] = UInt8(ascii: "/")
      // The tilde that `~0` stands for must not be taken for the beginning of another escape: it is marked until the end.
      case (UInt8(ascii: "~"), UInt8(ascii: "0")): decoded[decoded.count - 1] = 0xFF
      default: decoded.append(byte)
      }
    }
    return String(decoding: decoded.map { $0 == 0xFF ? UInt8(ascii: "~") : $0 }, as: UTF8.self)
  }
}

/// Percent-encoded text (RFC 3986 section 2.1).
enum PercentText {
  /// The text, decoded once; `nil` for a broken escape, and for what is then no UTF-8.
  static func decode(_ encoded: some Sequence<UInt8>) -> String? {
    var decoded: [UInt8] = []
    var iterator = encoded.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "%") else {
        decoded.append(byte)
        continue
      }
      guard let high = iterator.next().flatMap(HexadecimalDigit.value), let low = iterator.next().flatMap(HexadecimalDigit.value)
      else { return nil }
      decoded.append(high << 4 | low)
    }
    return String(validating: decoded, as: UTF8.self)
  }
}

enum HexadecimalDigit {
  static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
