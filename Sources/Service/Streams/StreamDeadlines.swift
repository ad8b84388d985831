import NIOCore
import SallyportAudit
import SallyportCore

import struct Foundation.Date

/// When streams must end, and why.
///
/// There is one look at all of them each time that some are due, which may be put off a little to find more; so that
/// beginning and ending a stream, which happens far more often, cost next to nothing.
struct StreamDeadlines {
  struct Deadline: Equatable {
    let at: Date
    let reason: StreamEnd.Reason
  }

  private var deadlines: [StreamRegistry.ID: Deadline] = [:]
  /// No deadline is sooner.
  private(set) var soonest: Date?

  /// The sooner of what ends the credential and of what ends the stream; `nil` where nothing does.
  static func deadline(for subject: Subject?, _ limits: StreamLimits, began: Date) -> Deadline? {
    var deadline: Deadline?
    if case .identity(let identity) = subject, let expires = identity.expires {
      deadline = Deadline(
        at: expires.addingTimeInterval(Double(limits.credentialGrace.nanoseconds) / 1e9),
        reason: self.reason(of: identity.method))
    }
    if let age = limits.maximumAge {
      let end = began.addingTimeInterval(Double(age.nanoseconds) / 1e9)
      if deadline.map({ end < $0.at }) ?? true { deadline = Deadline(at: end, reason: .maximumAge) }
    }
    return deadline
  }

  private static func reason(of method: AuthenticationMethod) -> StreamEnd.Reason {
    switch method {
    case .clientCertificate: .certificateExpired
    case .session: .sessionEnded
    default: .credentialExpired
    }
  }

  mutating func insert(_ id: StreamRegistry.ID, _ deadline: Deadline) {
    self.deadlines[id] = deadline
    self.soonest = min(self.soonest ?? deadline.at, deadline.at)
  }

  mutating func remove(_ id: StreamRegistry.ID) {
    self.deadlines[id] = nil
  }

  /// Takes out all that are due.
  mutating func due(at now: Date) -> [(id: StreamRegistry.ID, reason: StreamEnd.Reason)] {
    let due = self.deadlines.filter { $0.value.at <= now }
    for id in due.keys { self.deadlines[id] = nil }
    self.soonest = self.deadlines.values.map(\.at).min()
    return due.map { ($0.key, $0.value.reason) }
  }
}
