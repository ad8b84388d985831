import SallyportCore

/// Counts the connections of a listener, in all and by address.
struct ConnectionCounter: Sendable {
  var limits: ConnectionLimits
  private(set) var total = 0
  private var byAddress: [[UInt8]: Int] = [:]

  init(limits: ConnectionLimits) { self.limits = limits }

  /// Admits a connection, which has to be given back by ``leave(_:)``, or says why not.
  mutating func enter(_ peer: PeerAddress?) -> Problem? {
    guard self.total < self.limits.total else {
      return ListenerProblem.tooManyConnections.with(detail: "\(self.total) connections")
    }
    if let peer, let problem = self.count(peer) { return problem }
    self.total += 1
    return nil
  }

  /// Counts a connection that is among all already by its address, or says why not.
  mutating func count(_ peer: PeerAddress) -> Problem? {
    let key = peer.countedBy
    let count = self.byAddress[key, default: 0]
    guard count < self.limits.perAddress else {
      return ListenerProblem.tooManyConnectionsFromAddress.with(detail: "\(count) connections")
    }
    self.byAddress[key] = count + 1
    return nil
  }

  mutating func leave(_ peer: PeerAddress?) {
    self.total -= 1
    guard let key = peer?.countedBy, let count = self.byAddress[key] else { return }
    // Entries of nobody would be a list of everybody who ever came.
    self.byAddress[key] = count > 1 ? count - 1 : nil
  }
}

/// Lets one report of each kind through in a while, with the number of those that it stands for.
struct ReportThrottle<Instant: Comparable & Sendable>: Sendable {
  private var last: [String: (at: Instant, unreported: Int)] = [:]

  /// - Parameter silenceEnds: when a report of this kind that was made at the given time is old
  /// - Returns: the problem to report, if it is time
  mutating func report(_ problem: Problem, now: Instant, silenceEnds: (Instant) -> Instant) -> Problem? {
    guard let last = self.last[problem.code] else {
      self.last[problem.code] = (now, 0)
      return problem
    }
    guard silenceEnds(last.at) <= now else {
      self.last[problem.code]?.unreported += 1
      return nil
    }
    self.last[problem.code] = (now, 0)
    guard last.unreported > 0 else { return problem }
    return problem.with(detail: "\(problem.detail); \(last.unreported) more were refused since the last report")
  }
}
