import SallyportAudit

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Reads the bytes of a file from its beginning, compressed or not.
final class ByteSource {
  private let path: String
  private let descriptor: Int32
  private let inflater: GzipInflater?
  /// Compressed bytes that were read and not inflated yet.
  private var packed: [UInt8] = []
  private var used = 0
  private var isAtEnd = false
  /// Bytes of the file that were read, compressed as they are.
  private(set) var bytesRead = 0

  private static let blockSize = 256 * 1024

  init(_ path: String) throws(ReviewFault) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    self.descriptor = descriptor
    guard descriptor >= 0 else { throw ReviewFault("\(path): \(String(cString: strerror(errno)))") }
    var magic: (UInt8, UInt8) = (0, 0)
    let count = withUnsafeMutableBytes(of: &magic) { pread(descriptor, $0.baseAddress, 2, 0) }
    if count == 2, magic == (0x1F, 0x8B) {
      self.inflater = GzipInflater()
      guard self.inflater != nil else { throw ReviewFault("\(path): no memory") }
    } else {
      self.inflater = nil
    }
  }

  deinit {
    if self.descriptor >= 0 { close(self.descriptor) }
  }

  /// Reads some bytes; 0 at the end. What grows meanwhile can be read on.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ReviewFault) -> Int {
    guard let inflater = self.inflater else { return try self.readFile(into: buffer) }
    while true {
      if self.used == self.packed.count, !self.isAtEnd { try self.refill() }
      let rest = self.packed.count - self.used
      let step = self.packed.withUnsafeBytes { packed in
        inflater.inflate(UnsafeRawBufferPointer(rebasing: packed[self.used..<(self.used + rest)]), into: buffer)
      }
      guard let step else { throw ReviewFault("\(self.path): the compressed data is damaged") }
      self.used += step.consumed
      if step.produced > 0 { return step.produced }
      if self.isAtEnd, self.used == self.packed.count {
        guard inflater.isComplete else { throw ReviewFault("\(self.path): the compressed data is cut off") }
        return 0
      }
    }
  }

  private func refill() throws(ReviewFault) {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 1)
    defer { block.deallocate() }
    let count = try self.readFile(into: block)
    self.isAtEnd = count == 0
    self.packed = Array(block[..<count])
    self.used = 0
  }

  private func readFile(into buffer: UnsafeMutableRawBufferPointer) throws(ReviewFault) -> Int {
    while true {
      let count = systemRead(self.descriptor, buffer)
      if count >= 0 {
        self.bytesRead += count
        return count
      }
      if errno != EINTR { throw ReviewFault("\(self.path): \(String(cString: strerror(errno)))") }
    }
  }
}

private func systemRead(_ file: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int { read(file, buffer.baseAddress, buffer.count) }
