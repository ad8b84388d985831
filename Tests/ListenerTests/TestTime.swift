import NIOConcurrencyHelpers

import struct Foundation.Date

/// A clock that the test turns, from the present time on.
final class TestTime: Sendable {
  private let offset = NIOLockedValueBox(0.0)

  var now: Date { Date(timeIntervalSinceNow: self.offset.withLockedValue { $0 }) }

  func advance(by seconds: Double) { self.offset.withLockedValue { $0 += seconds } }
}
