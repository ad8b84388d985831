import NIOCore

/// How many frames a client may send that carry nothing of a request: WINDOW_UPDATE, PING, SETTINGS, RST_STREAM,
/// PRIORITY, GOAWAY, empty DATA, and types that nobody knows.
///
/// Each costs work and none brings any. A client that takes an answer has reason to send WINDOW_UPDATE, so bytes that
/// were sent to it earn it frames; otherwise the budget refills with time. The library bounds resets and some control
/// frames more tightly; WINDOW_UPDATE and unknown types it does not bound at all.
struct HTTP2FrameBudget {
  /// The most frames at once.
  static let burst = 1000.0
  /// Frames that each second allows.
  static let perSecond = 50.0
  /// Bytes of answers for which a client may send one frame: Go's client sends two updates for every 4 KiB.
  static let bytesPerFrame = 1024.0

  private var left = Self.burst
  private var refilled: NIODeadline

  init(now: NIODeadline) { self.refilled = now }

  /// Bytes were sent to the client.
  mutating func earn(bytes: Int) { self.left = min(Self.burst, self.left + Double(bytes) / Self.bytesPerFrame) }

  /// A frame came.
  ///
  /// - Returns: whether it is still within the budget
  mutating func spend(now: NIODeadline) -> Bool {
    if self.left < 1 {
      let elapsed = Double((now - self.refilled).nanoseconds) / 1e9
      self.left = min(Self.burst, self.left + elapsed * Self.perSecond)
      self.refilled = now
    }
    guard self.left >= 1 else { return false }
    self.left -= 1
    return true
  }
}
