/// Reads single lines of a log file without reading the file.
enum LineReading {
  /// More than the longest record has.
  private static let longest = 4 * 1024 * 1024
  private static let blockSize = 16 * 1024

  /// The first line with its newline; `nil` where there is none.
  static func first(of file: Int32, in directory: any LogDirectory) throws(SystemError) -> [UInt8]? {
    var line: [UInt8] = []
    while line.count < self.longest {
      let block = try directory.read(file, at: line.count, count: self.blockSize)
      if let newline = block.firstIndex(of: UInt8(ascii: "\n")) { return line + block[...newline] }
      guard block.count == self.blockSize else { return nil }
      line += block
    }
    return nil
  }

  /// The last line of a file that ends with a newline; `nil` where there is none.
  static func last(of file: Int32, size: Int, in directory: any LogDirectory) throws(SystemError) -> [UInt8]? {
    var count = self.blockSize
    while true {
      let start = max(0, size - count)
      let block = try directory.read(file, at: start, count: size - start)
      guard block.last == UInt8(ascii: "\n") else { return nil }
      if let before = block.dropLast().lastIndex(of: UInt8(ascii: "\n")) { return Array(block[(before + 1)...]) }
      if start == 0 { return block }
      guard count < self.longest else { return nil }
      count *= 4
    }
  }
}
