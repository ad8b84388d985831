/// Reads `path ["?" query]`: decodes the path once and notes every spelling that is not plain.
///
/// A path of plain bytes costs one pass and one string. Only a path with a percent sign or another byte that needs a
/// second look, or with a slash or dot behind a slash, is decoded byte by byte.
struct PathReader {
  let path: String
  let query: String?
  let oddities: TargetOddities
  /// There was no path at all, as in `https://host?query`.
  let lacksPath: Bool

  init(reading bytes: UnsafeRawBufferPointer) throws(MalformedMessage) {
    let kinds = Self.kinds
    var isPlain = true
    var pathEnd = bytes.count
    var isBehindSlash = false
    scan: for (index, byte) in bytes.enumerated() {
      switch kinds[Int(byte)] {
      case .plain:
        isBehindSlash = false
      case .slash:
        if isBehindSlash { isPlain = false }
        isBehindSlash = true
      case .dot:
        if isBehindSlash { isPlain = false }
        isBehindSlash = false
      case .unusual:
        isPlain = false
        isBehindSlash = false
      case .question:
        pathEnd = index
        break scan
      case .forbidden:
        throw .rawByteInTarget
      }
    }

    let path = UnsafeRawBufferPointer(rebasing: bytes[..<pathEnd])
    var oddities: TargetOddities = []
    if path.isEmpty {
      self.path = "/"
    } else if isPlain {
      self.path = String(decoding: path, as: UTF8.self)
    } else {
      (self.path, oddities) = try Self.decode(path)
    }
    self.lacksPath = path.isEmpty
    self.query = try Self.readQuery(UnsafeRawBufferPointer(rebasing: bytes[pathEnd...]), &oddities)
    self.oddities = oddities
  }

  // MARK: - The first look

  private enum Kind: UInt8 {
    case plain, slash, dot, question
    /// `%`, `#`, `\`, `;` and bytes above ASCII.
    case unusual
    /// Blanks and control bytes: no request line holds them, and some servers end the target there.
    case forbidden
  }

  private static let kinds: [Kind] = (0...255).map { value in
    switch UInt8(value) {
    case UInt8(ascii: "/"): .slash
    case UInt8(ascii: "."): .dot
    case UInt8(ascii: "?"): .question
    case UInt8(ascii: "%"), UInt8(ascii: "#"), UInt8(ascii: "\\"), UInt8(ascii: ";"), 0x80...0xFF: .unusual
    case 0x00...0x20, 0x7F: .forbidden
    default: .plain
    }
  }

  /// Go's `net/url` counts separators against this limit since its versions of January 2026 (`urlmaxqueryparams`).
  private static let mostParameters = 10_000

  /// The query stays encoded. Bytes above ASCII stay too: Go takes them, and they cannot spell a parameter's name.
  private static func readQuery(_ bytes: UnsafeRawBufferPointer, _ oddities: inout TargetOddities) throws(MalformedMessage) -> String? {
    guard !bytes.isEmpty else { return nil }
    let kinds = self.kinds
    var separators = 0
    for byte in bytes.dropFirst() {
      if kinds[Int(byte)] == .forbidden { throw .rawByteInTarget }
      if byte == UInt8(ascii: "#") { oddities.insert(.fragment) }
      if byte == UInt8(ascii: "&") { separators += 1 }
    }
    if separators >= self.mostParameters { oddities.insert(.tooManyParameters) }
    return String(decoding: bytes.dropFirst(), as: UTF8.self)
  }

  // MARK: - The second look

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> (String, TargetOddities) {
    var oddities: TargetOddities = []
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      guard byte == UInt8(ascii: "%") else {
        if byte == UInt8(ascii: "#") { oddities.insert(.fragment) }
        decoded.append(byte)
        index += 1
        continue
      }
      guard let escaped = PercentEncoding.escape(at: index, in: bytes) else { throw .brokenEscape }
      if escaped == UInt8(ascii: "/") { oddities.insert(.encodedSlash) }
      if escaped == UInt8(ascii: ".") { oddities.insert(.encodedDot) }
      decoded.append(escaped)
      index += 3
    }
    oddities.formUnion(self.oddBytes(decoded))
    oddities.formUnion(self.oddSegments(decoded))
    guard let path = String(validating: decoded, as: UTF8.self) else {
      return (String(decoding: decoded, as: UTF8.self), oddities.union(.invalidUTF8))
    }
    return (path, oddities)
  }

  private static func oddBytes(_ path: [UInt8]) -> TargetOddities {
    var oddities: TargetOddities = []
    var previous: UInt8 = 0
    for (index, byte) in path.enumerated() {
      switch byte {
      case UInt8(ascii: "%") where path[(index + 1)...].prefix(2).count { UnicodeScalar($0).properties.isASCIIHexDigit } == 2:
        oddities.insert(.doubleEscape)
      case UInt8(ascii: "\\"): oddities.insert(.backslash)
      case 0x00...0x1F, 0x7F: oddities.insert(.controlCharacter)
      // U+0080 to U+009F, the controls above ASCII.
      case 0x80...0x9F where previous == 0xC2: oddities.insert(.controlCharacter)
      default: break
      }
      previous = byte
    }
    return oddities
  }

  private static func oddSegments(_ path: [UInt8]) -> TargetOddities {
    var oddities: TargetOddities = []
    let slash = UInt8(ascii: "/")
    if path.starts(with: [slash, slash]) { oddities.insert(.doubleLeadingSlash) }
    let leading = path.prefix { $0 == slash }.count
    let trailing = path[leading...].reversed().prefix { $0 == slash }.count
    for segment in path[leading..<path.count - trailing].split(separator: slash, omittingEmptySubsequences: false) {
      let name = segment.prefix { $0 != UInt8(ascii: ";") }
      if segment.isEmpty && leading + trailing < path.count { oddities.insert(.emptySegment) }
      if name.isEmpty && !segment.isEmpty { oddities.insert(.bareParameters) }
      if (1...2).contains(name.count) && name.allSatisfy({ $0 == UInt8(ascii: ".") }) { oddities.insert(.dotSegment) }
    }
    return oddities
  }
}
