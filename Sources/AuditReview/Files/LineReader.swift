import SallyportAudit

/// Hands out a file line by line in constant memory, however large the file is.
final class LineReader {
  /// A line, good until the next is asked for.
  struct Line {
    /// Without its newline.
    let bytes: UnsafeRawBufferPointer
    /// The first line has 1.
    let number: Int
    /// Whether there is a newline behind it; of the last line of a file there may be none.
    let isWhole: Bool
  }

  private let source: ByteSource
  private var buffer: UnsafeMutableRawBufferPointer
  /// What was read and not handed out.
  private var start = 0
  private var end = 0
  private var searched = 0
  private var number = 0

  /// More than any record has; a longer line is handed out in pieces that are not whole, and is no record.
  static let longestLine = 8 * 1024 * 1024

  init(_ path: String, bufferSize: Int = 512 * 1024) throws(ReviewFault) {
    self.source = try ByteSource(path)
    self.buffer = .allocate(byteCount: bufferSize, alignment: 16)
  }

  deinit { self.buffer.deallocate() }

  /// Bytes of the file that were read, for a display of the progress.
  var bytesRead: Int { self.source.bytesRead }

  /// The next line; `nil` at the end. Later there may be more, where somebody writes to the file.
  ///
  /// - Parameter takesRest: whether a last line without a newline is handed out; else it waits for its rest
  func next(takesRest: Bool = true) throws(ReviewFault) -> Line? {
    while true {
      if let newline = self.findNewline() { return self.take(newline - self.start, skipping: 1) }
      if self.end - self.start >= Self.longestLine { return self.take(self.end - self.start, skipping: 0) }
      self.makeRoom()
      let room = UnsafeMutableRawBufferPointer(rebasing: self.buffer[self.end...])
      let count = try self.source.read(into: room)
      self.end += count
      if count == 0 { return takesRest && self.end > self.start ? self.take(self.end - self.start, skipping: 0) : nil }
    }
  }

  private func findNewline() -> Int? {
    let part = UnsafeRawBufferPointer(self.buffer)
    guard let length = UnsafeRawBufferPointer(rebasing: part[self.searched..<self.end]).lineLength(from: 0) else {
      self.searched = self.end
      return nil
    }
    return self.searched + length - 1
  }

  private func take(_ length: Int, skipping: Int) -> Line {
    self.number += 1
    let bytes = UnsafeRawBufferPointer(rebasing: self.buffer[self.start..<(self.start + length)])
    self.start += length + skipping
    self.searched = self.start
    return Line(bytes: bytes, number: self.number, isWhole: skipping == 1)
  }

  private func makeRoom() {
    if self.start > 0 {
      let count = self.end - self.start
      if count > 0 { self.buffer.baseAddress!.copyMemory(from: self.buffer.baseAddress! + self.start, byteCount: count) }
      self.searched -= self.start
      self.start = 0
      self.end = count
    }
    guard self.end == self.buffer.count else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: self.buffer.count * 2, alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: self.buffer[..<self.end]))
    self.buffer.deallocate()
    self.buffer = larger
  }
}
