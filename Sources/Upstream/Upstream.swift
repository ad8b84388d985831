public import Logging
public import NIOCore
public import SallyportCore
import Synchronization

/// The last station: sends requests to the servers of one upstream and hands their answers back.
///
/// A request's connection lives on the event loop of its client's connection, so that nothing on the way between the two is
/// locked or handed from thread to thread. Each event loop has its own connections, kept apart by client certificate.
///
/// A value holds the trust roots and certificates as they were when it was made. After a reload that changed them a new one
/// takes its place. The old one goes with the last that holds it, and its connections with the last request on them:
/// requests that are under way end undisturbed.
public final class Upstream: Sendable {
  /// The upstream's name in the configuration.
  public let name: String
  private let responseHeadTimeout: TimeAmount?
  private let tellsOrigin: Bool
  private let loops: [ObjectIdentifier: NIOLoopBoundBox<LoopPools>]
  private let source: UpstreamSource
  private let isClosed = Mutex(false)

  /// Reads the configuration's files.
  ///
  /// - Throws: ``Problem/upstreamConfiguration``: a file that cannot be read or understood, a key that is not its
  ///   certificate's, a name that no server can prove. The detail names file or setting, and what would be right.
  public convenience init(configuration: UpstreamConfiguration, group: any EventLoopGroup, logger: Logger) throws(Problem) {
    try self.init(UpstreamSource(configuration), group: group, logger: logger)
  }

  /// The upstream of a configuration: one of before, if it was made of the same settings and files, so that its
  /// connections go on; else a new one.
  ///
  /// - Throws: as ``init(configuration:group:logger:)``
  public static func upstream(
    _ configuration: UpstreamConfiguration, keeping previous: Upstream?, group: any EventLoopGroup, logger: Logger
  ) throws(Problem) -> Upstream {
    let source = UpstreamSource(configuration)
    if let previous, previous.source == source { return previous }
    return try Upstream(source, group: group, logger: logger)
  }

  private init(_ source: UpstreamSource, group: any EventLoopGroup, logger: Logger) throws(Problem) {
    let configuration = source.configuration
    let plan = try UpstreamPlan(configuration)
    self.name = configuration.name
    self.source = source
    self.responseHeadTimeout = configuration.responseHeadTimeout
    self.tellsOrigin = configuration.tellsOrigin
    var loops: [ObjectIdentifier: NIOLoopBoundBox<LoopPools>] = [:]
    for (number, eventLoop) in group.makeIterator().enumerated() {
      loops[ObjectIdentifier(eventLoop)] = .makeBoxSendingValue(
        LoopPools(plan, eventLoop: eventLoop, number: number, logger: logger), eventLoop: eventLoop)
    }
    self.loops = loops
  }

  /// Sends a request.
  ///
  /// The head goes out as the client's, with the server's own `Host`, then the credential's fields and `Audit-ID`; the
  /// body is framed as the client's message framed it. `Expect` is not passed on: the client's side answers it.
  /// A request that was not sent at all is tried at every server; one that may have reached a server is sent again only
  /// if it is a read without a body whose used connection died before any answer.
  ///
  /// Must be called on `eventLoop`, which must be one of the group's. The delegate hears nothing before the call returns,
  /// everything on `eventLoop`, and nothing after the answer's end, a failure, or its own ``UpstreamStream/cancel()``; it
  /// is held until then.
  ///
  /// - Parameter auditID: letters, digits, `-`, `.` and `_`; sent as `Audit-ID`, so that the server's audit log joins ours
  public func send(
    _ request: CredentialedRequest, auditID: String, delegate: any UpstreamStreamDelegate, eventLoop: any EventLoop
  ) -> any UpstreamStream {
    guard let pools = self.loops[ObjectIdentifier(eventLoop)]?.value else {
      return self.refuse(.upstreamRequestUnfit.with(detail: "\(self.name): the event loop is none of the upstream's"), delegate, eventLoop)
    }
    guard let pool = pools.pool(for: request.credential) else {
      return self.refuse(
        .upstreamRequestUnfit.with(
          detail: "\(self.name): no client certificate has the fingerprint that the credential names, or it cannot be presented"),
        delegate, eventLoop)
    }
    do {
      let outgoing = try OutgoingRequest(request, auditID: auditID, tellsOrigin: self.tellsOrigin)
      let exchange = UpstreamExchange(outgoing, pool: pool, responseHeadTimeout: self.responseHeadTimeout, delegate: delegate)
      exchange.begin()
      return exchange
    } catch {
      return self.refuse(error, delegate, eventLoop)
    }
  }

  /// Takes the upstream out of service: idle connections end now, those in use behind their request, new requests are
  /// refused with 503. May be called on any thread.
  public func close() {
    self.isClosed.withLock { $0 = true }
    for pools in self.loops.values {
      pools.eventLoop.execute { pools.value.close() }
    }
  }

  deinit {
    // Whoever closed it may have ended the event loops too.
    guard !self.isClosed.withLock({ $0 }) else { return }
    for pools in self.loops.values {
      pools.eventLoop.execute { pools.value.retire() }
    }
  }

  /// What all event loops have done for this upstream and hold.
  public func statistics() async -> UpstreamStatistics {
    var sum = UpstreamStatistics()
    for pools in self.loops.values {
      if let part = try? await pools.eventLoop.submit({ pools.value.statistics }).get() { sum += part }
    }
    return sum
  }

  private func refuse(
    _ problem: Problem, _ delegate: any UpstreamStreamDelegate, _ eventLoop: any EventLoop
  ) -> any UpstreamStream {
    let refused = RefusedExchange(delegate)
    eventLoop.assumeIsolated().execute { refused.fail(problem) }
    return refused
  }
}
