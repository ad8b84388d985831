/// A request target as Go's `net/url.ParseRequestURI` reads it, which is how kube-apiserver does.
///
/// Written apart from the gateway's own reader on purpose: the practice cluster is the second opinion that the gateway's
/// reading is tested against. The path is percent-decoded exactly once; scheme, user and host of an absolute form are
/// read and ignored; `#` has no meaning.
struct GoURL: Sendable, Hashable {
  /// The decoded path; empty for an absolute form without one and for an opaque one (`mailto:x`).
  let path: String
  let query: GoQuery

  /// - Returns: `nil` for a target that the server answers with 400: a control byte, a broken escape in the path, or a
  ///   form that begins neither with `/` nor with a scheme
  init?(requestURI: String) {
    let bytes = Array(requestURI.utf8)
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
    if bytes == Array("*".utf8) {
      self.path = "*"
      self.query = GoQuery("")
      return
    }
    guard let schemeLength = Self.schemeLength(bytes) else { return nil }
    var rest = bytes.dropFirst(schemeLength == 0 ? 0 : schemeLength + 1)
    var query: ArraySlice<UInt8> = []
    if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
      query = rest[(mark + 1)...]
      rest = rest[..<mark]
    }
    self.query = GoQuery(String(decoding: query, as: UTF8.self))
    guard rest.first == UInt8(ascii: "/") else {
      guard schemeLength > 0 else { return nil }
      self.path = ""
      return
    }
    if schemeLength > 0, rest.starts(with: "//".utf8) {
      rest = rest.dropFirst(2)
      rest = rest[(rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex)...]
    }
    guard let decoded = PercentEncoding.decode(rest) else { return nil }
    self.path = String(decoding: decoded, as: UTF8.self)
  }

  /// The length of the scheme before a colon, 0 without one; `nil` for a colon without a scheme before it.
  private static func schemeLength(_ bytes: [UInt8]) -> Int? {
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): continue
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
        if index == 0 { return 0 }
      case UInt8(ascii: ":"): return index == 0 ? nil : index
      default: return 0
      }
    }
    return 0
  }
}

/// A query as Go's `url.ParseQuery` reads it: pairs are split at `&`, one with a `;` or a broken escape is dropped, `+` is
/// a blank, and of repeated keys the first one counts.
struct GoQuery: Sendable, Hashable {
  private let pairs: [Pair]

  private struct Pair: Sendable, Hashable {
    let key: String
    let value: String
  }

  init(_ text: String) {
    self.pairs = text.utf8.split(separator: UInt8(ascii: "&")).compactMap { pair in
      guard !pair.contains(UInt8(ascii: ";")) else { return nil }
      let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let key = PercentEncoding.decode(halves[0], plusIsBlank: true),
        let value = halves.count == 2 ? PercentEncoding.decode(halves[1], plusIsBlank: true) : []
      else { return nil }
      return Pair(key: String(decoding: key, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
    }
  }

  subscript(key: String) -> String? { self.pairs.first { $0.key == key }?.value }

  func all(_ key: String) -> [String] { self.pairs.filter { $0.key == key }.map(\.value) }

  /// A switch as Kubernetes reads it from a query: everything but `0` and `false`, in any letter case, is on.
  func flag(_ key: String) -> Bool {
    guard let value = self[key]?.lowercased() else { return false }
    return value != "0" && value != "false"
  }
}

/// Percent-decoding of bytes, once.
enum PercentEncoding {
  /// - Returns: `nil` where a `%` is not followed by two hexadecimal digits
  static func decode(_ text: some Collection<UInt8>, plusIsBlank: Bool = false) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(text.count)
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      text.formIndex(after: &index)
      if byte == UInt8(ascii: "%") {
        guard index < text.endIndex, let high = Hexadecimal.value(of: text[index]) else { return nil }
        text.formIndex(after: &index)
        guard index < text.endIndex, let low = Hexadecimal.value(of: text[index]) else { return nil }
        text.formIndex(after: &index)
        decoded.append(high << 4 | low)
      } else {
        decoded.append(plusIsBlank && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return decoded
  }
}
