#if canImport(Darwin)
  import func Darwin.memchr
#elseif canImport(Musl)
  import func Musl.memchr
#else
  import func Glibc.memchr
#endif

/// Finds the lines of a section (a head, a trailer section) whose bytes arrive piece by piece.
///
/// It remembers how far it looked, so that a section that drips in byte by byte costs no more than one that comes whole.
/// All indices count from the section's first byte.
struct LineScanner {
  /// Where the line begins that is not complete yet; behind the last line, the section's length.
  private(set) var lineStart = 0
  private var scanned = 0

  /// The next line without its CRLF, or `nil` where its end has not arrived.
  ///
  /// A line ends with CRLF and nothing else: RFC 9112 section 2.2 lets a reader take a bare LF for a line end, but whoever
  /// does not sees another message there.
  ///
  /// - Parameters:
  ///   - bytes: the section's bytes so far
  ///   - limit: the most bytes that the section may have
  mutating func nextLine(in bytes: UnsafeRawBufferPointer, limit: Int) throws(MalformedMessage) -> Range<Int>? {
    guard let base = bytes.baseAddress, let found = memchr(base + self.scanned, 0x0A, bytes.count - self.scanned) else {
      self.scanned = bytes.count
      guard bytes.count <= limit else { throw .sectionTooLong }
      return nil
    }
    let end = UnsafeRawPointer(found) - base
    guard end < limit else { throw .sectionTooLong }
    guard end > self.lineStart, bytes[end - 1] == 0x0D else { throw .bareLineFeed }
    let line = self.lineStart..<end - 1
    self.lineStart = end + 1
    self.scanned = self.lineStart
    return line
  }
}

extension MalformedMessage {
  static let sectionTooLong = MalformedMessage(status: 431, "The head or trailer section is longer than this server reads.")
  static let bareLineFeed = MalformedMessage("A line ends with a bare LF.")
  static let bareCarriageReturn = MalformedMessage("A bare CR stands in a line.")
}
