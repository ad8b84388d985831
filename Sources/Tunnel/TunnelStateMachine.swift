/// What becomes of a tunnel's two directions.
///
/// Each side's input is the other's output. An input that ends is passed on as an end, and the other direction goes on; when
/// both have ended, the ends close by themselves once everything was taken. A side that breaks takes the other with it.
public struct TunnelStateMachine: Sendable {
  public enum Side: Sendable, Hashable {
    case client, upstream

    public var other: Side { self == .client ? .upstream : .client }
  }

  /// How the tunnel ended.
  public enum Ending: Sendable, Hashable {
    /// Both sides had said all that they had to say, and it was passed on.
    case complete
    /// A side's connection was lost, or ended without TLS's farewell.
    case broken(Side)
    /// Both sides were done, but one did not take what was there for it in time.
    case stalled
    /// The gateway ended it.
    case cut
  }

  private enum State {
    case open(clientEnded: Bool, upstreamEnded: Bool)
    /// Both inputs have ended; the ends close when their outputs are taken.
    case closing(closed: Side?)
    case over
  }

  private var state = State.open(clientEnded: false, upstreamEnded: false)

  public init() {}

  public var isOver: Bool {
    if case .over = self.state { true } else { false }
  }

  /// Bytes came from a side.
  ///
  /// - Returns: whether they go to the other side
  public func received(from side: Side) -> Bool {
    switch (self.state, side) {
    case (.open(let ended, _), .client), (.open(_, let ended), .upstream): !ended
    case (.closing, _), (.over, _): false
    }
  }

  public enum EndAction: Equatable, Sendable {
    case none
    /// Pass the end on to this side.
    case end(Side)
    /// Pass the end on to this side, which was the last: give both a while to take what is left.
    case endAndClose(Side)
  }

  /// A side sends no more.
  public mutating func inputEnded(_ side: Side) -> EndAction {
    guard case .open(var clientEnded, var upstreamEnded) = self.state else { return .none }
    switch side {
    case .client:
      if clientEnded { return .none }
      clientEnded = true
    case .upstream:
      if upstreamEnded { return .none }
      upstreamEnded = true
    }
    guard clientEnded && upstreamEnded else {
      self.state = .open(clientEnded: clientEnded, upstreamEnded: upstreamEnded)
      return .end(side.other)
    }
    self.state = .closing(closed: nil)
    return .endAndClose(side.other)
  }

  public enum FlowAction: Equatable, Sendable {
    case none
    case setReading(Side, paused: Bool)
  }

  /// A side takes no more bytes for now, or does again.
  public func writabilityChanged(of side: Side, _ isWritable: Bool) -> FlowAction {
    switch self.state {
    case .open: .setReading(side.other, paused: !isWritable)
    case .closing, .over: .none
    }
  }

  public enum CloseAction: Equatable, Sendable {
    case none
    case finish(Ending)
    /// Cut this side, then finish.
    case cutAndFinish(Side, Ending)
  }

  /// A side's connection is closed.
  ///
  /// - Parameter isClean: whether both its directions had ended and everything for it was taken
  public mutating func closed(_ side: Side, isClean: Bool) -> CloseAction {
    switch self.state {
    case .closing(nil) where isClean:
      self.state = .closing(closed: side)
      return .none
    case .closing(let first?) where isClean && first != side:
      self.state = .over
      return .finish(.complete)
    case .open, .closing:
      self.state = .over
      return .cutAndFinish(side.other, .broken(side))
    case .over: return .none
    }
  }

  /// The while is over that both sides had to take what was left.
  ///
  /// - Returns: whether the tunnel must be cut and finished as ``Ending/stalled``
  public mutating func closingTimedOut() -> Bool {
    guard case .closing = self.state else { return false }
    self.state = .over
    return true
  }

  /// The gateway ends the tunnel.
  ///
  /// - Returns: whether there was something left to end
  public mutating func cut() -> Bool {
    guard !self.isOver else { return false }
    self.state = .over
    return true
  }
}
