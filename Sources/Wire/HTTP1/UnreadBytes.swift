import NIOCore

/// The bytes of a connection that arrived and were not read yet, as one buffer.
///
/// A buffer that arrives while nothing is waiting is taken as it is, so that a message that came in one read is never
/// copied. What is left over is copied once when more arrives, and grows in place from then on.
///
/// Once everything was taken nothing of the buffer is held: TLS decrypts into the same memory again and again, and whoever
/// still holds it then, even an empty slice of it, makes it copy all of its 32 KiB or more.
struct UnreadBytes {
  private(set) var buffer = ByteBuffer()

  var count: Int { self.buffer.readableBytes }
  var isEmpty: Bool { self.buffer.readableBytes == 0 }

  mutating func append(_ bytes: ByteBuffer) {
    if self.isEmpty {
      self.buffer = bytes
    } else if self.buffer.readerIndex > 0 {
      // What was read may be shared with fields and body parts that are still in use: leave it to them.
      var joined = ByteBuffer()
      joined.reserveCapacity(self.count + bytes.readableBytes)
      joined.writeImmutableBuffer(self.buffer)
      joined.writeImmutableBuffer(bytes)
      self.buffer = joined
    } else {
      self.buffer.writeImmutableBuffer(bytes)
    }
  }

  /// The bytes from `offset` on, counted from the first unread one; they must be there.
  func slice(_ offset: Int, _ length: Int) -> ByteBuffer {
    self.buffer.getSlice(at: self.buffer.readerIndex + offset, length: length) ?? ByteBuffer()
  }

  /// Takes bytes from the front; they must be there.
  mutating func read(_ length: Int) -> ByteBuffer {
    guard length < self.count else { return self.takeAll() }
    return self.buffer.readSlice(length: length) ?? ByteBuffer()
  }

  mutating func skip(_ length: Int) {
    self.buffer.moveReaderIndex(forwardBy: length)
    if self.isEmpty { self.buffer = ByteBuffer() }
  }

  /// Takes everything and lets go of the memory.
  mutating func takeAll() -> ByteBuffer {
    defer { self.buffer = ByteBuffer() }
    return self.buffer.slice()
  }
}
