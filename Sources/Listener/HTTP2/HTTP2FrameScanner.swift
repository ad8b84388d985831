import NIOCore

/// Follows the frames of one direction of an HTTP/2 connection by their headers alone (RFC 9113 section 4.1).
///
/// It decides nothing about them: the library parses them behind it. It sees what the library does not count or tell, and
/// it sees it before the library has done any work for it.
struct HTTP2FrameScanner {
  struct Frame: Equatable {
    static let data: UInt8 = 0x0
    static let headers: UInt8 = 0x1
    static let pushPromise: UInt8 = 0x5
    static let goAway: UInt8 = 0x7
    static let continuation: UInt8 = 0x9

    let length: Int
    let type: UInt8
    let flags: UInt8

    var endsStream: Bool { self.flags & 0x1 != 0 }
    var endsHeaders: Bool { self.flags & 0x4 != 0 }
    /// Whether it carries a part of a field section. No client may send PUSH_PROMISE, but it may begin one.
    var carriesFields: Bool { self.type == Self.headers || self.type == Self.pushPromise || self.type == Self.continuation }
  }

  /// Bytes of the client's preface that are still to come (RFC 9113 section 3.4).
  private var prefaceLeft: Int
  /// The frame header so far, read as one number, and how many of its nine bytes that are.
  private var header: (UInt64, last: UInt8) = (0, 0)
  private var headerCount = 0
  private var payloadLeft = 0
  private var current: Frame?
  private var headersAreOpen = false

  /// - Parameter expectsPreface: whether the direction is the client's
  init(expectsPreface: Bool) { self.prefaceLeft = expectsPreface ? 24 : 0 }

  /// Whether the preface has not come to its end.
  var awaitsPreface: Bool { self.prefaceLeft > 0 }

  /// Whether a field section has begun and not ended: between its frames, or within one of them.
  var isInsideFieldSection: Bool {
    self.headersAreOpen || self.current?.carriesFields == true
  }

  /// Takes bytes and calls `body` for every frame whose header is complete, with what is there of its payload.
  mutating func scan(_ bytes: UnsafeRawBufferPointer, _ body: (Frame, UnsafeRawBufferPointer) -> Void) {
    var rest = bytes[...]
    let preface = min(self.prefaceLeft, rest.count)
    self.prefaceLeft -= preface
    rest = rest.dropFirst(preface)
    while !rest.isEmpty {
      if self.current != nil {
        let skipped = min(self.payloadLeft, rest.count)
        self.payloadLeft -= skipped
        rest = rest.dropFirst(skipped)
        self.endFrameIfComplete()
        continue
      }
      guard let frame = self.readHeader(&rest) else { return }
      self.current = frame
      self.payloadLeft = frame.length
      body(frame, UnsafeRawBufferPointer(rebasing: rest.prefix(frame.length)))
      self.endFrameIfComplete()
    }
  }

  private mutating func readHeader(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Frame? {
    while let byte = rest.popFirst() {
      self.headerCount += 1
      if self.headerCount < 9 {
        self.header.0 = self.header.0 << 8 | UInt64(byte)
        continue
      }
      let number = self.header.0
      self.header.0 = 0
      self.headerCount = 0
      // Length (24), type (8), flags (8), then the stream, whose last byte is this one.
      return Frame(
        length: Int(number >> 40), type: UInt8(truncatingIfNeeded: number >> 32), flags: UInt8(truncatingIfNeeded: number >> 24))
    }
    return nil
  }

  private mutating func endFrameIfComplete() {
    guard self.payloadLeft == 0, let frame = self.current else { return }
    self.current = nil
    if frame.carriesFields { self.headersAreOpen = !frame.endsHeaders }
  }
}
