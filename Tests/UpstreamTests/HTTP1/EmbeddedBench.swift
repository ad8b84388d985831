import Logging
import NIOCore
import NIOEmbedded
import NIOSSL
import SallyportCore
import SallyportWire

@testable import SallyportUpstream

/// A pool whose connections are channels in memory and whose time a test moves.
final class EmbeddedBench {
  let eventLoop: EmbeddedEventLoop
  let pool: ConnectionPool
  private let network: Network

  /// Makes the channels.
  private final class Network {
    let eventLoop: EmbeddedEventLoop
    var channels: [EmbeddedChannel] = []
    var refuses = false

    init(_ eventLoop: EmbeddedEventLoop) { self.eventLoop = eventLoop }

    func connect(_ endpoint: Endpoint) -> EventLoopFuture<any Channel> {
      do {
        if self.refuses { throw ChannelError.connectPending }
        let channel = EmbeddedChannel(handler: UpstreamConnection(endpoint: endpoint), loop: self.eventLoop)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 6443), promise: nil)
        self.channels.append(channel)
        return self.eventLoop.makeSucceededFuture(channel)
      } catch {
        return self.eventLoop.makeFailedFuture(error)
      }
    }
  }

  init(tls: Bool = false, connections: Int = 4, waiters: Int = 4) throws {
    let server = UpstreamConfiguration.Server(host: "127.0.0.1", port: 6443, tls: tls)
    let configuration = UpstreamConfiguration(name: "test", servers: [server], rootsFile: nil)
    let context = try NIOSSLContext(configuration: .makeClientConfiguration())
    let eventLoop = EmbeddedEventLoop()
    let network = Network(eventLoop)
    self.eventLoop = eventLoop
    self.network = network
    self.pool = ConnectionPool(
      key: PoolKey(upstream: "test", serverName: "", trustRoots: "", certificateFingerprint: ""),
      endpoints: [try Endpoint(server, of: configuration, tls: context)], firstServer: 0,
      limits: .init(connections: connections, waiters: waiters, idleTimeout: .seconds(30), waitLimit: .seconds(10)),
      connectTimeout: .seconds(5), eventLoop: eventLoop, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { endpoint, _, _ in network.connect(endpoint) }
  }

  /// The channels made so far.
  var channels: [EmbeddedChannel] { self.network.channels }

  /// Lets every further connection fail.
  func refuseConnections() { self.network.refuses = true }

  func send(
    _ request: CredentialedRequest, responseHeadTimeout: TimeAmount? = nil
  ) throws -> (UpstreamExchange, EmbeddedDelegate) {
    let delegate = EmbeddedDelegate()
    let exchange = UpstreamExchange(
      try OutgoingRequest(request, auditID: "audit-1"), pool: self.pool, responseHeadTimeout: responseHeadTimeout, delegate: delegate)
    exchange.begin()
    return (exchange, delegate)
  }

  /// What was written to a channel since the last call, one string for each write.
  func written(_ index: Int) throws -> [String] {
    var writes: [String] = []
    while let buffer = try self.channels[index].readOutbound(as: ByteBuffer.self) { writes.append(String(buffer: buffer)) }
    return writes
  }

  /// Whether the channel was last told to read; `nil` where nobody told it.
  func isReading(_ index: Int) -> Bool? {
    self.channels[index].options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool
  }

  func receive(_ text: String, on index: Int) throws {
    try self.channels[index].writeInbound(ByteBuffer(string: text))
  }
}

/// Writes down what it is told.
final class EmbeddedDelegate: UpstreamStreamDelegate {
  var events: [String] = []
  var problem: Problem?
  /// Called at the answer's end.
  var onEnd: () -> Void = {}

  func upstreamSentInformational(_ head: ResponseHead) { self.events.append("informational \(head.status)") }
  func upstreamSentHead(_ head: ResponseHead) { self.events.append("head \(head.status)") }
  func upstreamSentBody(_ bytes: ByteBuffer) { self.events.append("body \(String(buffer: bytes))") }
  func upstreamSentEnd(trailers: HeaderFields) {
    self.events.append("end")
    self.onEnd()
  }
  func upstreamReadComplete() { self.events.append("read complete") }
  func upstreamFlowChanged(paused: Bool) { self.events.append(paused ? "paused" : "resumed") }
  func upstreamFailed(_ problem: Problem) {
    self.events.append("failed \(problem.code)")
    self.problem = problem
  }
}
