/// How an upstream's connections stand, and what happened on them since it was set up; for metrics.
public struct UpstreamStatistics: Sendable, Equatable {
  /// All connections: in use, idle and being made.
  public var connections = 0
  public var idle = 0
  /// Requests that wait for a connection.
  public var waiting = 0
  public var events = PoolEvents()

  static func += (sum: inout UpstreamStatistics, part: UpstreamStatistics) {
    sum.connections += part.connections
    sum.idle += part.idle
    sum.waiting += part.waiting
    sum.events += part.events
  }
}

/// What happened to connections; each pool counts for itself, on its event loop.
public struct PoolEvents: Sendable, Equatable {
  /// Connections that were made, their handshake done.
  public var connected: UInt64 = 0
  public var connectsFailed: UInt64 = 0
  /// Requests that were sent a second time because a kept connection had died.
  public var retries: UInt64 = 0

  static func += (sum: inout PoolEvents, part: PoolEvents) {
    sum.connected += part.connected
    sum.connectsFailed += part.connectsFailed
    sum.retries += part.retries
  }
}
