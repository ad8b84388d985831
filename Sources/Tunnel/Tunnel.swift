public import NIOCore
public import SallyportCore

/// Two connections glued to one another: raw bytes both ways, with back-pressure and half-close, and no idle limit.
///
/// Nothing is held in between: a side that takes no more stops the reading of the other. Both ends are on one event loop.
public final class Tunnel {
  /// How a tunnel ended.
  public struct Outcome: Sendable {
    public let ending: TunnelStateMachine.Ending
    /// What the system or TLS said of a side that broke.
    public let failure: TunnelFailure?
  }

  /// How long the ends have, once both sides are done, to take what is left for them.
  public static let closingLimit = TimeAmount.minutes(1)

  private typealias Side = TunnelStateMachine.Side

  private var machine = TunnelStateMachine()
  private let client: any TunnelEnd
  private let upstream: any TunnelEnd
  private var closingTimer: Scheduled<Void>?
  private var finished: ((Outcome) -> Void)?

  /// Bytes that came from the client, and bytes that came from the upstream, as far as they were passed on.
  public private(set) var bytesFromClient: UInt64 = 0
  public private(set) var bytesFromUpstream: UInt64 = 0

  /// - Parameter finished: called once, when the tunnel has ended
  public init(client: any TunnelEnd, upstream: any TunnelEnd, finished: @escaping (Outcome) -> Void) {
    self.client = client
    self.upstream = upstream
    self.finished = finished
  }

  /// Lets the bytes flow.
  public func open() {
    // The upstream first: if it is gone already, the client's bytes need not be moved at all.
    self.upstream.open(Ear(self, .upstream))
    self.client.open(Ear(self, .client))
  }

  /// Ends the tunnel at both sides.
  public func cut() {
    guard self.machine.cut() else { return }
    self.client.cut()
    self.upstream.cut()
    self.finish(.cut, nil)
  }

  private func end(_ side: Side) -> any TunnelEnd { side == .client ? self.client : self.upstream }

  /// Hears of one side for the tunnel.
  private final class Ear: TunnelEndDelegate {
    let tunnel: Tunnel
    let side: Side

    init(_ tunnel: Tunnel, _ side: Side) {
      self.tunnel = tunnel
      self.side = side
    }

    func tunnelReceived(_ bytes: ByteBuffer) { self.tunnel.received(bytes, from: self.side) }
    func tunnelReadComplete() { self.tunnel.end(self.side.other).flush() }
    func tunnelInputEnded() { self.tunnel.inputEnded(self.side) }
    func tunnelWritabilityChanged(_ isWritable: Bool) { self.tunnel.writabilityChanged(of: self.side, isWritable) }
    func tunnelClosed(_ failure: TunnelFailure?) { self.tunnel.closed(self.side, failure) }
  }

  private func received(_ bytes: ByteBuffer, from side: Side) {
    guard self.machine.received(from: side) else { return }
    switch side {
    case .client: self.bytesFromClient += UInt64(bytes.readableBytes)
    case .upstream: self.bytesFromUpstream += UInt64(bytes.readableBytes)
    }
    self.end(side.other).send(bytes)
  }

  private func inputEnded(_ side: Side) {
    switch self.machine.inputEnded(side) {
    case .none: break
    case .end(let other): self.end(other).sendEnd()
    case .endAndClose(let other):
      self.closingTimer = self.client.eventLoop.assumeIsolated().scheduleTask(in: Self.closingLimit) { self.closingTimedOut() }
      self.end(other).sendEnd()
    }
  }

  private func writabilityChanged(of side: Side, _ isWritable: Bool) {
    switch self.machine.writabilityChanged(of: side, isWritable) {
    case .none: break
    case .setReading(let other, let paused): self.end(other).setReading(paused: paused)
    }
  }

  private func closed(_ side: Side, _ failure: TunnelFailure?) {
    switch self.machine.closed(side, isClean: failure == nil) {
    case .none: break
    case .finish(let ending): self.finish(ending, failure)
    case .cutAndFinish(let other, let ending):
      self.end(other).cut()
      self.finish(ending, failure)
    }
  }

  private func closingTimedOut() {
    self.closingTimer = nil
    guard self.machine.closingTimedOut() else { return }
    self.client.cut()
    self.upstream.cut()
    self.finish(.stalled, nil)
  }

  private func finish(_ ending: TunnelStateMachine.Ending, _ failure: TunnelFailure?) {
    self.closingTimer?.cancel()
    self.closingTimer = nil
    let finished = self.finished
    self.finished = nil
    finished?(Outcome(ending: ending, failure: failure))
  }
}
