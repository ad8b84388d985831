import Logging
import NIOConcurrencyHelpers
public import NIOCore
import SallyportAudit
import SallyportConfiguration
import SallyportListener
import SallyportUpstream

extension Gateway {
  /// How long what is under way may go on when the gateway ends.
  public struct Grace: Sendable {
    /// How long connections are still taken, while readiness is red already: the time that a load balancer needs to notice.
    public var delay: TimeAmount
    /// How long requests get, from when no connection is taken any more.
    public var requests: TimeAmount
    /// How long watches, other streams and tunnels get.
    public var streams: TimeAmount

    public init(delay: TimeAmount = .zero, requests: TimeAmount, streams: TimeAmount) {
      self.delay = delay
      self.requests = requests
      self.streams = streams
    }
  }

  /// Ends with the grace that the configuration grants.
  public func shutDown() async {
    let shutdown = self.configuration.shutdown
    await self.shutDown(
      Grace(delay: TimeAmount(shutdown.delay), requests: TimeAmount(shutdown.grace), streams: TimeAmount(shutdown.streamGrace)))
  }

  /// Stops accepting, lets the requests and streams that are open end, and closes everything.
  ///
  /// - Parameter grace: how long requests and streams get; what is left then is cut
  public func shutDown(grace: TimeAmount) async {
    await self.shutDown(Grace(requests: grace, streams: grace))
  }

  /// Ends the gateway in order:
  /// 1. readiness is red, and connections are still taken for the delay;
  /// 2. the sockets are closed; HTTP/1.1 answers say `Connection: close`, HTTP/2 clients hear GOAWAY;
  /// 3. requests and streams end by themselves within their grace, and are cut behind it;
  /// 4. every record is written, and the log is closed.
  ///
  /// Returns when all is closed. The first call counts; another returns at once.
  public func shutDown(_ grace: Grace) async {
    let isFirst = self.state.withLockedValue { state in
      defer { state.isDraining = true }
      return !state.isDraining
    }
    guard isFirst else { return }
    self.continuation.catalogues.stop()
    await self.wait(until: .now() + grace.delay) { true }
    // A reload that is under way may be about to start listeners; no other begins.
    await self.wait(until: .now() + .minutes(1)) { self.state.withLockedValue { $0.isReloading } }
    let listeners = self.state.withLockedValue { $0.all }
    for listener in listeners { await listener.stopAccepting() }
    self.revocationWatch.cancel()
    self.credentialWatch.cancel()
    self.sessionWatch.cancel()

    let begin = NIODeadline.now()
    // Connections without a request end by themselves within a moment, and one may still be on its way on them.
    let isBusy: @Sendable () async -> Bool = {
      if listeners.contains(where: { $0.connectionCount > 0 }) { return true }
      return await self.contexts.state().exchanges > 0
    }
    await self.wait(until: begin + grace.streams, while: isBusy)
    let streams = await self.contexts.cutStreams(.shutdown)
    await self.wait(until: begin + grace.requests, while: isBusy)
    let requests = await self.contexts.state().exchanges
    if streams + requests > 0 {
      self.logger.notice(
        "what was still open at the end is cut", metadata: ["requests": "\(requests)", "streams": "\(streams)"])
    }
    await self.contexts.beginEnd()
    for listener in listeners { await listener.close() }
    // What was cut still has its records to write, and a disk may be slow.
    await self.waitForRecords(atMost: .seconds(5))
    await self.contexts.flushRecords()
    self.log.record(.stopped(reason: self.state.withLockedValue { $0.isHurried } ? "hurried" : "drained"))
    self.log.close()
    for upstream in self.state.withLockedValue({ $0.generation.upstreams.values }) { upstream.close() }
    await self.state.withLockedValue { $0.admin }?.close()
    if let control = self.state.withLockedValue({ $0.control }) { await self.closeControl(control) }
    self.logger.notice("ended", metadata: ["requests": "\(requests)", "streams": "\(streams)"])
  }

  /// Ends every wait of ``shutDown(_:)``: what is open is cut now. Every record is still written.
  public func hurry() {
    self.state.withLockedValue { $0.isHurried = true }
  }

  private func wait(until deadline: NIODeadline, while condition: () async -> Bool) async {
    while NIODeadline.now() < deadline, !self.state.withLockedValue({ $0.isHurried }), await condition() {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  private func waitForRecords(atMost limit: TimeAmount) async {
    let end = NIODeadline.now() + limit
    while NIODeadline.now() < end, await self.contexts.state().exchanges > 0 {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}
