import NIOCore

/// Which server of an upstream the next connection goes to.
///
/// The servers take turns. One that a connection could not be made to is left out for a while: one second after the first
/// failure, twice as long after each further one, at most thirty seconds, each with up to a quarter more so that the event
/// loops do not come back to it together. When all are out, the one whose time ends first is tried: waiting helps nobody,
/// and an upstream of one server is back with the first request after its restart.
struct ServerSelection {
  enum Choice: Equatable {
    case up(Int)
    /// Every server is out; this one is the next to come back.
    case lastResort(Int)
  }

  private struct Health {
    var failures = 0
    /// Until when the server is left out; `nil` for one that is well.
    var downUntil: NIODeadline?
  }

  static let firstBackoff = TimeAmount.seconds(1)
  static let longestBackoff = TimeAmount.seconds(30)

  private var servers: [Health]
  private var next = 0

  /// - Parameters:
  ///   - count: how many servers there are, at least one
  ///   - first: which one begins; the event loops begin at different ones
  init(count: Int, first: Int = 0) {
    precondition(count > 0, "an upstream without servers was configured")
    self.servers = Array(repeating: Health(), count: count)
    self.next = first % count
  }

  var count: Int { self.servers.count }

  func isUp(_ server: Int, now: NIODeadline) -> Bool {
    self.servers[server].downUntil.map { $0 <= now } ?? true
  }

  func allAreDown(now: NIODeadline) -> Bool {
    self.servers.indices.allSatisfy { !self.isUp($0, now: now) }
  }

  mutating func choose(now: NIODeadline) -> Choice {
    for step in self.servers.indices {
      let server = (self.next + step) % self.servers.count
      guard self.isUp(server, now: now) else { continue }
      self.next = (server + 1) % self.servers.count
      return .up(server)
    }
    let soonest = self.servers.indices.min { self.returnTime($0) < self.returnTime($1) }
    return .lastResort(soonest ?? 0)
  }

  /// No connection could be made to the server.
  ///
  /// Several failures within one time out count as one: a burst of requests would otherwise put the server out for the
  /// longest time at once.
  ///
  /// - Parameter jitter: a random number from 0 up to 1
  mutating func failed(_ server: Int, now: NIODeadline, jitter: Double) {
    guard self.isUp(server, now: now) else { return }
    let doublings = min(self.servers[server].failures, 5)
    self.servers[server].failures += 1
    let base = min(Self.firstBackoff.nanoseconds << doublings, Self.longestBackoff.nanoseconds)
    let extra = Int64(Double(base) * 0.25 * min(max(jitter, 0), 1))
    self.servers[server].downUntil = now + .nanoseconds(base + extra)
  }

  mutating func succeeded(_ server: Int) {
    self.servers[server] = Health()
  }

  private func returnTime(_ server: Int) -> NIODeadline {
    self.servers[server].downUntil ?? .distantPast
  }
}
