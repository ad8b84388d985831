import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

@testable import SallyportPracticeCluster

/// A TLS connection that sends bytes as they are and keeps what comes back.
final class RawClient: Sendable {
  private let channel: any Channel
  private let inbox: Inbox

  private init(channel: any Channel, inbox: Inbox) {
    self.channel = channel
    self.inbox = inbox
  }

  static func connect(port: Int, context: NIOSSLContext) async throws -> RawClient {
    let inbox = Inbox()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: "localhost"))
          try pipeline.addHandler(InboxHandler(inbox))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return RawClient(channel: channel, inbox: inbox)
  }

  func send(_ text: String) async throws { try await self.send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) async throws {
    // A server that refuses early closes before it has read the rest.
    try? await self.channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  /// Stops or restarts reading from the socket.
  func setReading(_ isOn: Bool) async throws { try await self.channel.setOption(.autoRead, value: isOn).get() }

  func close() async { try? await self.channel.close().get() }

  /// What came until the connection closed, a condition held, or the time was up.
  func bytes(within time: TimeAmount = .minutes(1), until isEnough: @escaping @Sendable ([UInt8]) -> Bool = { _ in false }) async throws
    -> [UInt8]
  {
    let promise = self.channel.eventLoop.makePromise(of: [UInt8].self)
    self.inbox.wait(promise, until: isEnough)
    let timer = self.channel.eventLoop.scheduleTask(in: time) { self.inbox.giveUp() }
    defer { timer.cancel() }
    return try await promise.futureResult.get()
  }

  /// The whole answer of a server that closes behind it.
  func response(within time: TimeAmount = .minutes(1)) async throws -> RawResponse {
    let bytes = try await self.bytes(within: time)
    await self.close()
    return RawResponse(bytes)
  }
}

/// What a connection received.
final class Inbox: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isClosed = false
    var waiting: EventLoopPromise<[UInt8]>?
    var isEnough: @Sendable ([UInt8]) -> Bool = { _ in false }
  }

  private let state = NIOLockedValueBox(State())

  func wait(_ promise: EventLoopPromise<[UInt8]>, until isEnough: @escaping @Sendable ([UInt8]) -> Bool) {
    self.change { state in
      state.waiting = promise
      state.isEnough = isEnough
    }
  }

  func receive(_ bytes: [UInt8]) { self.change { $0.bytes += bytes } }
  func close() { self.change { $0.isClosed = true } }
  func giveUp() { self.change(isFinal: true) { _ in } }

  private func change(isFinal: Bool = false, _ body: (inout State) -> Void) {
    let (promise, bytes): (EventLoopPromise<[UInt8]>?, [UInt8]) = self.state.withLockedValue { state in
      body(&state)
      guard isFinal || state.isClosed || state.isEnough(state.bytes) else { return (nil, []) }
      defer { state.waiting = nil }
      return (state.waiting, state.bytes)
    }
    promise?.succeed(bytes)
  }
}

private final class InboxHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let inbox: Inbox

  init(_ inbox: Inbox) { self.inbox = inbox }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.inbox.receive(Array(self.unwrapInboundIn(data).readableBytesView))
  }

  func channelInactive(context: ChannelHandlerContext) { self.inbox.close() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// An answer as bytes, taken apart without any of the server's code.
struct RawResponse: Sendable {
  let status: Int
  /// The names in lower case.
  let headers: [(name: String, value: String)]
  let body: [UInt8]

  init(_ bytes: [UInt8]) {
    let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))
    let head = String(decoding: bytes[..<(end?.lowerBound ?? bytes.endIndex)], as: UTF8.self)
    let lines = head.split(separator: "\r\n")
    let words = (lines.first ?? "").split(separator: " ")
    let status = words.count > 1 ? Int(words[1]) ?? 0 : 0
    let rest = Array(bytes[(end?.upperBound ?? bytes.endIndex)...])
    if status == 100 {
      self = RawResponse(rest)
      return
    }
    self.status = status
    self.headers = lines.dropFirst().map { line in
      let halves = line.split(separator: ":", maxSplits: 1)
      return (halves[0].lowercased(), halves.count > 1 ? halves[1].trimmingBlanks : "")
    }
    let isChunked = self.headers.contains { $0.name == "transfer-encoding" && $0.value == "chunked" }
    self.body = isChunked ? Self.unchunked(rest) : rest
  }

  var text: String { String(decoding: self.body, as: UTF8.self) }
  var json: JSON { (try? JSONReader.read(self.body)) ?? .null }

  func header(_ name: String) -> String? { self.headers.first { $0.name == name }?.value }

  private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
    var rest = bytes[...]
    var body: [UInt8] = []
    while let end = rest.firstRange(of: [0x0D, 0x0A]), let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16),
      size > 0
    {
      let data = rest[end.upperBound...].prefix(size)
      body += data
      rest = rest[end.upperBound...].dropFirst(size + 2)
    }
    return body
  }
}

extension Collection where Element: Equatable {
  func firstRange(of pattern: [Element]) -> Range<Index>? {
    var start = self.startIndex
    while start < self.endIndex {
      if self[start] == pattern[0], self[start...].starts(with: pattern) {
        return start..<self.index(start, offsetBy: pattern.count)
      }
      self.formIndex(after: &start)
    }
    return nil
  }
}
