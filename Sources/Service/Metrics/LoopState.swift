/// What is under way on the event loops, at one moment.
struct LoopState: Sendable {
  /// Requests that are unanswered, streams and tunnels included.
  var exchanges = 0
  var streams = 0
  var tunnels = 0
  var counts = LoopCounts()

  /// Requests that are no stream and no tunnel.
  var requests: Int { max(0, self.exchanges - self.streams - self.tunnels) }

  mutating func add(_ other: LoopState) {
    self.exchanges += other.exchanges
    self.streams += other.streams
    self.tunnels += other.tunnels
    self.counts.add(other.counts)
  }
}
