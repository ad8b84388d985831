import NIOCore

/// Writes tar archives in the POSIX form (IEEE Std 1003.1, pax: ustar interchange format).
enum TarWriter {
  static let blockSize = 512

  static func entry(_ name: String, _ file: FileTree.File) -> ByteBuffer {
    var archive = ByteBuffer()
    var short = name
    if name.utf8.count > 99 {
      // A name that does not fit goes into an extended header before.
      let record = self.record("path", name)
      archive.writeImmutableBuffer(self.header("pax_header", type: "x", size: record.utf8.count, mode: 0o644, modified: file.modified))
      archive.writeString(record)
      self.pad(&archive)
      short = String(decoding: name.utf8.prefix(99), as: UTF8.self)
    }
    switch file.kind {
    case .directory: archive.writeImmutableBuffer(self.header("\(short)/", type: "5", size: 0, mode: file.mode, modified: file.modified))
    case .link(let target):
      archive.writeImmutableBuffer(
        self.header(short, type: "2", size: 0, mode: file.mode, modified: file.modified, link: target))
    case .regular(let content):
      archive.writeImmutableBuffer(
        self.header(short, type: "0", size: content.readableBytes, mode: file.mode, modified: file.modified))
      archive.writeImmutableBuffer(content)
      self.pad(&archive)
    }
    return archive
  }

  /// What ends an archive.
  static var end: ByteBuffer { ByteBuffer(repeating: 0, count: 2 * self.blockSize) }

  private static func pad(_ archive: inout ByteBuffer) {
    archive.writeRepeatingByte(0, count: (self.blockSize - archive.readableBytes % self.blockSize) % self.blockSize)
  }

  /// `27 path=…\n`: the number counts itself.
  private static func record(_ key: String, _ value: String) -> String {
    let rest = " \(key)=\(value)\n"
    var length = rest.utf8.count
    while "\(length)".utf8.count + rest.utf8.count != length { length = "\(length)".utf8.count + rest.utf8.count }
    return "\(length)\(rest)"
  }

  private static func header(_ name: String, type: String, size: Int, mode: UInt32, modified: Int, link: String = "") -> ByteBuffer {
    var block = ByteBuffer()
    func write(_ text: String, width: Int) {
      let bytes = Array(text.utf8.prefix(width))
      block.writeBytes(bytes)
      block.writeRepeatingByte(0, count: width - bytes.count)
    }
    func octal(_ number: Int, width: Int) {
      let digits = String(number, radix: 8)
      write(String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits, width: width)
    }
    write(name, width: 100)
    octal(Int(mode), width: 8)
    octal(0, width: 8)
    octal(0, width: 8)
    octal(size, width: 12)
    octal(max(0, modified), width: 12)
    write("        ", width: 8)
    write(type, width: 1)
    write(link, width: 100)
    write("ustar", width: 6)
    write("00", width: 2)
    write("root", width: 32)
    write("root", width: 32)
    octal(0, width: 8)
    octal(0, width: 8)
    write("", width: 155)
    write("", width: 12)
    let sum = block.readableBytesView.reduce(0) { $0 + Int($1) }
    let digits = String(sum, radix: 8)
    block.setString(String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "\0 ", at: 148)
    return block
  }
}
