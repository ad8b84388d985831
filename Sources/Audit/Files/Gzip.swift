import CZlib

/// Compression of closed files (RFC 1952).
package enum Gzip {
  /// 15 bits of window, 16 for the form of gzip.
  static let windowBits: Int32 = 15 + 16
  /// Little work: records compress well at any level, and their links at none. From the fourth on zlib looks further for what is the
  /// same; that takes two thirds more time of the machine that answers requests, for an eighth less of the disk.
  private static let level: Int32 = 3
  private static let blockSize = 128 * 1024

  /// Compresses a file into a new one.
  ///
  /// - Parameter isCancelled: asked between blocks
  /// - Returns: `false` where it was cancelled
  static func compress(
    _ input: Int32, to output: Int32, in directory: any LogDirectory, isCancelled: () -> Bool
  ) throws(SystemError) -> Bool {
    var stream = z_stream()
    guard sallyport_deflate_init_window(&stream, self.level, self.windowBits) == Z_OK else { throw .memory(directory.path) }
    defer { deflateEnd(&stream) }
    var offset = 0
    while true {
      if isCancelled() { return false }
      let block = try directory.read(input, at: offset, count: self.blockSize)
      offset += block.count
      let isLast = block.count < self.blockSize
      try self.run(&stream, block, directory: directory, output: output, finish: isLast)
      if isLast { return true }
    }
  }

  private static func run(
    _ stream: inout z_stream, _ block: [UInt8], directory: any LogDirectory, output: Int32, finish: Bool
  ) throws(SystemError) {
    var block = block
    var packed = [UInt8](repeating: 0, count: self.blockSize)
    var consumed = 0
    repeat {
      let produced = block.withUnsafeMutableBufferPointer { input in
        packed.withUnsafeMutableBufferPointer { output in
          stream.next_in = input.baseAddress.map { $0 + consumed }
          stream.avail_in = UInt32(input.count - consumed)
          stream.next_out = output.baseAddress
          stream.avail_out = UInt32(output.count)
          _ = deflate(&stream, finish ? Z_FINISH : Z_NO_FLUSH)
          consumed = input.count - Int(stream.avail_in)
          return output.count - Int(stream.avail_out)
        }
      }
      try directory.writeAll(output, Array(packed[..<produced]))
    } while stream.avail_out == 0
  }

  /// The first line of a compressed file; `nil` where it has none or is damaged.
  static func firstLine(of file: Int32, in directory: any LogDirectory) throws(SystemError) -> [UInt8]? {
    guard let inflater = GzipInflater() else { throw .memory(directory.path) }
    var line: [UInt8] = []
    var offset = 0
    var output = [UInt8](repeating: 0, count: self.blockSize)
    while line.count < 4 * 1024 * 1024 {
      let block = try directory.read(file, at: offset, count: 16 * 1024)
      if block.isEmpty { return nil }
      var rest = block[...]
      while !rest.isEmpty {
        let step = rest.withUnsafeBytes { input in output.withUnsafeMutableBytes { inflater.inflate(input, into: $0) } }
        guard let step else { return nil }
        if let newline = output[..<step.produced].firstIndex(of: UInt8(ascii: "\n")) { return line + output[...newline] }
        line += output[..<step.produced]
        rest = rest.dropFirst(step.consumed)
        guard step.consumed > 0 || step.produced > 0 else { return nil }
      }
      offset += block.count
    }
    return nil
  }
}

/// Reads what gzip wrote, also several members behind one another (RFC 1952 section 2.2).
package final class GzipInflater {
  private let stream: UnsafeMutablePointer<z_stream>
  /// Whether the last member was complete when its input ended.
  package private(set) var isComplete = false

  /// - Returns: `nil` without memory
  package init?() {
    self.stream = .allocate(capacity: 1)
    self.stream.initialize(to: z_stream())
    guard sallyport_inflate_init_window(self.stream, Gzip.windowBits) == Z_OK else { return nil }
  }

  deinit {
    inflateEnd(self.stream)
    self.stream.deallocate()
  }

  /// Decompresses some bytes.
  ///
  /// - Returns: how many of `input` were read and how many of `output` were set; `nil` where the input is damaged
  package func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> (consumed: Int, produced: Int)? {
    if self.isComplete, !input.isEmpty {
      guard inflateReset(self.stream) == Z_OK else { return nil }
      self.isComplete = false
    }
    self.stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
    self.stream.pointee.avail_in = UInt32(input.count)
    self.stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
    self.stream.pointee.avail_out = UInt32(output.count)
    switch CZlib.inflate(self.stream, Z_NO_FLUSH) {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: self.isComplete = true
    default: return nil
    }
    return (input.count - Int(self.stream.pointee.avail_in), output.count - Int(self.stream.pointee.avail_out))
  }
}
