import Crypto

/// A last line without its end: its process was killed, or the machine lost power, while it was written.
enum TornLine {
  private static let blockSize = 64 * 1024

  /// Moves the torn end of a file, if it has one, to a file of its own: `<name>.torn-<time>`.
  ///
  /// The copy is on the disk before the original is cut, so that whatever interrupts this, no byte is lost.
  ///
  /// - Returns: the size of the file, which is empty or ends with a newline, and what was moved
  static func remove(
    from file: Int32, named name: String, in directory: any LogDirectory, now: WallTime
  ) throws(SystemError) -> (size: Int, piece: SetAsidePiece?) {
    let size = try directory.size(of: file)
    let whole = try self.endOfLastLine(of: file, size: size, in: directory)
    guard whole < size else { return (size, nil) }
    let (copy, copyName) = try self.newFile("\(name).torn-\(now.compact)", in: directory)
    var hash = SHA256()
    defer { directory.close(copy) }
    var offset = whole
    while offset < size {
      let block = try directory.read(file, at: offset, count: min(self.blockSize, size - offset))
      guard !block.isEmpty else { break }
      try directory.writeAll(copy, block)
      hash.update(data: block)
      offset += block.count
    }
    try directory.sync(copy)
    try directory.syncNames()
    try directory.truncate(file, to: whole)
    let piece = SetAsidePiece(name: copyName, bytes: size - whole, sha256: Hexadecimal.text(hash.finalize()), reason: "torn")
    return (whole, piece)
  }

  /// Where the last newline ends, read from behind; 0 where there is none.
  private static func endOfLastLine(of file: Int32, size: Int, in directory: any LogDirectory) throws(SystemError) -> Int {
    var end = size
    while end > 0 {
      let start = max(0, end - self.blockSize)
      let block = try directory.read(file, at: start, count: end - start)
      if let newline = block.lastIndex(of: UInt8(ascii: "\n")) { return start + newline + 1 }
      end = start
    }
    return 0
  }

  private static func newFile(_ name: String, in directory: any LogDirectory) throws(SystemError) -> (Int32, String) {
    for attempt in 1...100 {
      do throws(SystemError) {
        let attempted = attempt == 1 ? name : "\(name)-\(attempt)"
        return (try directory.open(attempted, .new), attempted)
      } catch  where error.number == SystemError.exists {
        continue
      }
    }
    throw SystemError(call: "open", name: "\(directory.path)/\(name)", number: SystemError.exists)
  }
}
