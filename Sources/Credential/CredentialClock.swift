public import NIOCore

public import struct Foundation.Date

/// What time it is: what is made says it by the calendar, and is remembered by a clock that nobody sets.
public struct CredentialClock: Sendable {
  let wall: @Sendable () -> Date
  let monotonic: @Sendable () -> NIODeadline

  public init(wall: @escaping @Sendable () -> Date, monotonic: @escaping @Sendable () -> NIODeadline) {
    self.wall = wall
    self.monotonic = monotonic
  }

  /// The machine's clocks.
  public static let system = CredentialClock(wall: { Date() }, monotonic: { .now() })

  /// The deadline of a time in the near future, seen from now.
  func deadline(of time: Date, at now: NIODeadline, _ wall: Date) -> NIODeadline {
    now + .nanoseconds(Int64(max(0, min(time.timeIntervalSince(wall), 1e9)) * 1e9))
  }
}
