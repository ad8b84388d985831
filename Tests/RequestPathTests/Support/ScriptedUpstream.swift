import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport

/// A TLS server that keeps the exact bytes it gets and answers with whatever bytes a test tells it to.
///
/// It finds the ends of messages by the plainest means, and only to know when the script's moment has come.
final class ScriptedUpstream: Sendable {
  /// A request as it came.
  struct Request: Sendable {
    /// The number of its connection, from 1.
    let connection: Int
    /// The number on its connection, from 1.
    let number: Int
    /// The request line and the fields, each with its line end, without the empty line.
    let head: String
    /// Everything behind the empty line as it was sent, framing included.
    var body = ""

    var line: String { self.head.components(separatedBy: "\r\n").first ?? "" }
    var fieldLines: [String] { self.head.components(separatedBy: "\r\n").dropFirst().filter { !$0.isEmpty } }
    /// The values of all fields with this name, in any letter case.
    func values(_ name: String) -> [String] {
      self.fieldLines.map(Answer.field).filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
  }

  enum Moment: Sendable {
    /// The head is there.
    case head(Request)
    /// All of it is there.
    case end(Request)
  }

  /// Called on the connection's event loop.
  typealias Script = @Sendable (Moment, Peer) -> Void

  /// The server's end of one connection.
  struct Peer: Sendable {
    let channel: any Channel

    func send(_ text: String) { self.channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
    /// Sends and then says when the bytes have left, which they do only as fast as somebody reads.
    func send(_ text: String, then next: @escaping @Sendable () -> Void) {
      self.channel.writeAndFlush(ByteBuffer(string: text)).whenSuccess(next)
    }
    func close() { self.channel.close(promise: nil) }

    /// Closes the socket below TLS, so that TLS sees its stream cut off.
    func cut() {
      self.channel.eventLoop.execute {
        if let tls = try? self.channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) {
          tls.close(promise: nil)
        } else {
          self.channel.close(promise: nil)
        }
      }
    }
  }

  fileprivate struct Log: Sendable {
    var connections = 0
    var open: Set<Int> = []
    var requests: [Request] = []
    var bytes: [Int: ByteBuffer] = [:]
    var peers: [Int: Peer] = [:]
  }

  let port: Int
  private let channel: any Channel
  private let log = Observed(Log())

  init(certificate: TestCertificate, script: @escaping Script) async throws {
    var tls = TLSConfiguration.makeServerConfiguration(
      certificateChain: try certificate.chain(), privateKey: try certificate.privateKey())
    tls.applicationProtocols = ["http/1.1"]
    let context = try NIOSSLContext(configuration: tls)
    let log = self.log
    self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
          try channel.pipeline.syncOperations.addHandler(ScriptedConnection(log: log, script: script))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.port = self.channel.localAddress?.port ?? 0
  }

  /// An upstream that answers every complete request with the same bytes.
  static func answering(_ answer: String) -> Script {
    { moment, peer in if case .end = moment { peer.send(answer) } }
  }

  /// A complete answer with a length.
  static func ok(_ body: String = "fine", _ fields: String...) -> String {
    "HTTP/1.1 200 OK\r\n\(fields.map { $0 + "\r\n" }.joined())Content-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// The requests whose end came, in that order.
  var requests: [Request] { self.log.value.requests }
  /// The `Host` line of every request that comes here: the server's own authority, whatever the client's said.
  var hostLine: String { "Host: 127.0.0.1:\(self.port)" }
  /// How many connections there have been.
  var connections: Int { self.log.value.connections }
  var openConnections: Int { self.log.value.open.count }
  /// Everything that came over all connections.
  var received: String { self.log.value.bytes.sorted { $0.key < $1.key }.map { String(buffer: $0.value) }.joined() }
  /// The server's ends of its connections, by their numbers.
  func peer(_ connection: Int) -> Peer? { self.log.value.peers[connection] }

  func close() async {
    try? await self.channel.close().get()
    for peer in self.log.value.peers.values { try? await peer.channel.close().get() }
  }
}

private final class ScriptedConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let log: Observed<ScriptedUpstream.Log>
  private let script: ScriptedUpstream.Script
  private var number = 0
  private var count = 0
  private var unread = ""
  private var request: ScriptedUpstream.Request?

  init(log: Observed<ScriptedUpstream.Log>, script: @escaping ScriptedUpstream.Script) {
    self.log = log
    self.script = script
  }

  func channelActive(context: ChannelHandlerContext) {
    let peer = ScriptedUpstream.Peer(channel: context.channel)
    self.log.update { log in
      log.connections += 1
      self.number = log.connections
      log.open.insert(self.number)
      log.peers[self.number] = peer
    }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.log.update { log in
      log.open.remove(self.number)
      log.peers[self.number] = nil
    }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = self.unwrapInboundIn(data)
    self.log.update { $0.bytes[self.number, default: ByteBuffer()].writeImmutableBuffer(bytes) }
    self.unread += String(buffer: bytes)
    let peer = ScriptedUpstream.Peer(channel: context.channel)
    while self.advance(peer) {}
  }

  /// Whether a moment came.
  private func advance(_ peer: ScriptedUpstream.Peer) -> Bool {
    guard var request = self.request else {
      guard let end = self.unread.firstRange(of: "\r\n\r\n") else { return false }
      self.count += 1
      let request = ScriptedUpstream.Request(
        connection: self.number, number: self.count, head: String(self.unread[..<end.lowerBound]) + "\r\n")
      self.unread = String(self.unread[end.upperBound...])
      self.request = request
      self.script(.head(request), peer)
      return true
    }
    guard let end = self.endOfBody(of: request) else { return false }
    request.body = String(self.unread[..<end])
    self.unread = String(self.unread[end...])
    self.request = nil
    self.log.update { $0.requests.append(request) }
    self.script(.end(request), peer)
    return true
  }

  private func endOfBody(of request: ScriptedUpstream.Request) -> String.Index? {
    if request.values("Transfer-Encoding") == ["chunked"] {
      // No test sends a body that holds this itself.
      guard let last = self.unread.hasPrefix("0\r\n") ? self.unread.startIndex : self.unread.firstRange(of: "\r\n0\r\n")?.lowerBound
      else { return nil }
      return self.unread[last...].firstRange(of: "\r\n\r\n")?.upperBound
    }
    let length = request.values("Content-Length").first.flatMap { Int($0) } ?? 0
    return self.unread.utf8.count >= length ? self.unread.utf8.index(self.unread.startIndex, offsetBy: length) : nil
  }
}
