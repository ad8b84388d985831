/// A last line without its end: its process was killed, or the machine lost power, while it was written.
enum TornLine {
  private static let blockSize = 64 * 1024

  /// Moves the torn end of a file, if it has one, to a file of its own: `<name>.torn-<time>`.
  ///
  /// The copy is on the disk before the original is cut, so that whatever interrupts this, no byte is lost.
  ///
  /// - Returns: the size of the file, which is empty or ends with a newline
  static func remove(
    from file: Int32, named name: String, in directory: any LogDirectory, now: WallTime
  ) throws(SystemError) -> Int {
    let size = try directory.size(of: file)
    let whole = try self.endOfLastLine(of: file, size: size, in: directory)
    guard whole < size else { return size }
    let copy = try self.newFile("\(name).torn-\(now.compact)", in: directory)
    defer { directory.close(copy) }
    var offset = whole
    while offset < size {
      let block = try self.read(file, at: offset, count: min(self.blockSize, size - offset), in: directory)
      guard !block.isEmpty else { break }
      try self.write(block, to: copy, in: directory)
      offset += block.count
    }
    try directory.sync(copy)
    try directory.syncNames()
    try directory.truncate(file, to: whole)
    return whole
  }

  /// Where the last newline ends, read from behind; 0 where there is none.
  private static func endOfLastLine(of file: Int32, size: Int, in directory: any LogDirectory) throws(SystemError) -> Int {
    var end = size
    while end > 0 {
      let start = max(0, end - self.blockSize)
      let block = try self.read(file, at: start, count: end - start, in: directory)
      if let newline = block.lastIndex(of: UInt8(ascii: "\n")) { return start + newline + 1 }
      end = start
    }
    return 0
  }

  private static func newFile(_ name: String, in directory: any LogDirectory) throws(SystemError) -> Int32 {
    for attempt in 1...100 {
      do throws(SystemError) {
        return try directory.open(attempt == 1 ? name : "\(name)-\(attempt)", .new)
      } catch  where error.number == SystemError.exists {
        continue
      }
    }
    throw SystemError(call: "open", name: "\(directory.path)/\(name)", number: SystemError.exists)
  }

  /// Reads as many bytes as there are, up to `count`.
  private static func read(
    _ file: Int32, at offset: Int, count: Int, in directory: any LogDirectory
  ) throws(SystemError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    var filled = 0
    while filled < count {
      let got = try directory.read(file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]), at: offset + filled)
      guard got > 0 else { break }
      filled += got
    }
    return Array(buffer[..<filled])
  }

  private static func write(_ bytes: [UInt8], to file: Int32, in directory: any LogDirectory) throws(SystemError) {
    let result = bytes.withUnsafeBytes { bytes -> Result<Void, SystemError> in
      var written = 0
      do throws(SystemError) {
        return .success(try directory.writeAll(file, bytes, written: &written))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }
}
