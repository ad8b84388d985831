import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// The open connections of a listener: how many there may be, and which to tell when it ends.
final class ConnectionRegistry: Sendable {
  private struct State {
    var counter: ConnectionCounter
    var throttle = ReportThrottle<NIODeadline>()
    var channels: [ObjectIdentifier: any Channel] = [:]
    /// Whom a connection is counted by, where that was said after it was taken in.
    var announced: [ObjectIdentifier: PeerAddress] = [:]
    /// The connections that carry a client certificate's identity, with the trust that it was verified by.
    var trusted: [ObjectIdentifier: ClientTrust] = [:]
    var isClosed = false
  }

  enum Admission {
    case admitted
    /// - Parameter report: what to report, unless the same was reported just now
    case refused(report: Problem?)
    /// The listener is closing.
    case closed
  }

  private let state: NIOLockedValueBox<State>

  init(limits: ConnectionLimits) {
    self.state = NIOLockedValueBox(State(counter: ConnectionCounter(limits: limits)))
  }

  /// Holds other limits from now on; connections that are above them stay.
  func setLimits(_ limits: ConnectionLimits) {
    self.state.withLockedValue { $0.counter.limits = limits }
  }

  var count: Int { self.state.withLockedValue { $0.counter.total } }

  /// Takes a connection in; it leaves by itself when it closes.
  func admit(_ channel: any Channel, peer: PeerAddress?, now: NIODeadline) -> Admission {
    let admission = self.state.withLockedValue { state -> Admission in
      if state.isClosed { return .closed }
      if let problem = state.counter.enter(peer) {
        return .refused(report: state.throttle.report(problem, now: now) { $0 + .seconds(1) })
      }
      state.channels[ObjectIdentifier(channel)] = channel
      return .admitted
    }
    if case .admitted = admission {
      let id = ObjectIdentifier(channel)
      channel.closeFuture.whenComplete { _ in
        self.state.withLockedValue { state in
          state.counter.leave(peer ?? state.announced.removeValue(forKey: id))
          state.channels[id] = nil
          state.trusted[id] = nil
        }
      }
    }
    return admission
  }

  /// Counts a connection that was taken in without a peer by the address that its proxy announced.
  ///
  /// - Returns: why it may not stay; `nil` where it may
  func count(_ channel: any Channel, as peer: PeerAddress?, now: NIODeadline) -> Admission? {
    guard let peer else { return nil }
    return self.state.withLockedValue { state in
      let id = ObjectIdentifier(channel)
      guard state.channels[id] != nil else { return .closed }
      if let problem = state.counter.count(peer) {
        return .refused(report: state.throttle.report(problem, now: now) { $0 + .seconds(1) })
      }
      state.announced[id] = peer
      return nil
    }
  }

  /// Notes that a connection has an identity by this trust.
  func note(_ channel: any Channel, trustedBy trust: ClientTrust) {
    self.state.withLockedValue { state in
      let id = ObjectIdentifier(channel)
      if state.channels[id] != nil { state.trusted[id] = trust }
    }
  }

  /// Asks connections to end behind the request that they carry: all of them, or those whose identity comes from another
  /// trust than the present one.
  func drain(notTrustedBy trust: ClientTrust?) {
    let channels = self.state.withLockedValue { state in
      state.trusted.compactMap { id, other in other === trust ? nil : state.channels[id] }
    }
    for channel in channels { channel.tell(.drain) }
  }

  /// Takes no connection in any more, and asks those that are open to end soon.
  func windDown() {
    for channel in self.close() { channel.tell(.windDown) }
  }

  /// Takes no connection in any more.
  ///
  /// - Returns: those that are open
  func close() -> [any Channel] {
    self.state.withLockedValue { state in
      state.isClosed = true
      return Array(state.channels.values)
    }
  }
}

/// What a listener tells its connections.
enum ConnectionEvent: Sendable {
  /// To end as soon as nothing is lost by it, and to carry no request any more: its client is believed no longer.
  case drain
  /// To end soon: behind the request that it carries or that is on its way, which is still answered.
  case windDown
  /// To end.
  case cut
}

extension Channel {
  func tell(_ event: ConnectionEvent) {
    // Fired on the event loop even from there, so that no handler is called from inside a call of its own.
    self.eventLoop.execute { self.pipeline.fireUserInboundEventTriggered(event) }
  }
}
