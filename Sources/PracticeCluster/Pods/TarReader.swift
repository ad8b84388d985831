import NIOCore

/// Reads a tar archive as it comes: ustar, with the extended headers of pax and GNU's long names, as Go and GNU tar write them.
struct TarReader {
  struct Entry {
    let name: String
    let file: FileTree.File
  }

  private enum State {
    case header
    /// - Parameter padded: how many bytes belong to the entry, its filling included
    case content(Header, padded: Int)
    case end
  }

  private struct Header {
    var name: String
    var link: String
    let type: UInt8
    let size: Int
    let mode: UInt32
    let modified: Int
  }

  private var unread = ByteBuffer()
  private var state = State.header
  /// What an extended header said of the entry behind it.
  private var longName: String?
  private var longLink: String?

  /// Whether the archive may end here.
  var isAtEnd: Bool {
    switch self.state {
    case .end: true
    case .header: self.unread.readableBytes == 0
    case .content: false
    }
  }

  /// - Returns: the entries that are complete now
  mutating func read(_ bytes: ByteBuffer) throws(StreamFault) -> [Entry] {
    var bytes = bytes
    self.unread.writeBuffer(&bytes)
    var entries: [Entry] = []
    reading: while true {
      switch self.state {
      case .header:
        guard let block = self.unread.readSlice(length: TarWriter.blockSize) else { break reading }
        guard block.readableBytesView.contains(where: { $0 != 0 }) else {
          self.state = .end
          continue
        }
        let header = try Self.header(block)
        guard header.size <= FileTree.limit else { throw StreamFault("File too large") }
        self.state = .content(header, padded: (header.size + TarWriter.blockSize - 1) / TarWriter.blockSize * TarWriter.blockSize)
      case .content(let header, let padded):
        guard var content = self.unread.readSlice(length: padded) else { break reading }
        self.state = .header
        let own = content.readSlice(length: header.size) ?? ByteBuffer()
        if let entry = self.entry(header, own) { entries.append(entry) }
      case .end:
        self.unread.clear()
        break reading
      }
    }
    self.unread.discardReadBytes()
    return entries
  }

  private mutating func entry(_ header: Header, _ content: ByteBuffer) -> Entry? {
    switch header.type {
    case UInt8(ascii: "x"):
      for record in String(buffer: content).split(separator: "\n") {
        guard let blank = record.firstIndex(of: " "), let equals = record[blank...].firstIndex(of: "=") else { continue }
        let value = String(record[record.index(after: equals)...])
        switch record[record.index(after: blank)..<equals] {
        case "path": self.longName = value
        case "linkpath": self.longLink = value
        default: break
        }
      }
      return nil
    case UInt8(ascii: "L"):
      self.longName = String(String(buffer: content).prefix { $0 != "\0" })
      return nil
    default: break
    }
    let name = self.longName ?? header.name
    let link = self.longLink ?? header.link
    self.longName = nil
    self.longLink = nil
    let kind: FileTree.File.Kind
    switch header.type {
    case 0, UInt8(ascii: "0"): kind = .regular(ByteBuffer(bytes: content.readableBytesView))
    case UInt8(ascii: "2"): kind = .link(link)
    case UInt8(ascii: "5"): kind = .directory
    default: return nil
    }
    return Entry(name: name, file: FileTree.File(kind: kind, mode: header.mode, modified: header.modified))
  }

  private static func header(_ block: ByteBuffer) throws(StreamFault) -> Header {
    let bytes = Array(block.readableBytesView)
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self) }
    func octal(_ range: Range<Int>) throws(StreamFault) -> Int {
      let digits = text(range).trimmingBlanks
      guard let number = digits.isEmpty ? 0 : Int(digits, radix: 8), number >= 0 else {
        throw StreamFault("This does not look like a tar archive")
      }
      return number
    }
    var sum = 8 * Int(UInt8(ascii: " "))
    for (index, byte) in bytes.enumerated() where !(148..<156).contains(index) { sum += Int(byte) }
    guard try octal(148..<156) == sum else { throw StreamFault("This does not look like a tar archive") }
    let prefix = text(257..<262) == "ustar" ? text(345..<500) : ""
    return Header(
      name: prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))", link: text(157..<257), type: bytes[156],
      size: try octal(124..<136), mode: UInt32(truncatingIfNeeded: try octal(100..<108)), modified: try octal(136..<148))
  }
}
