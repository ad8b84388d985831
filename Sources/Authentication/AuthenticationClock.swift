public import NIOCore

public import struct Foundation.Date

/// What time it is, for everything here that expires: the validity of certificates goes by the calendar, caches and
/// lockouts by a clock that nobody sets.
public struct AuthenticationClock: Sendable {
  let wall: @Sendable () -> Date
  let monotonic: @Sendable () -> NIODeadline

  public init(wall: @escaping @Sendable () -> Date, monotonic: @escaping @Sendable () -> NIODeadline) {
    self.wall = wall
    self.monotonic = monotonic
  }

  /// The machine's clocks.
  public static let system = AuthenticationClock(wall: { Date() }, monotonic: { .now() })
}
