import Crypto
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// One side of a connection as bytes, with both halves of its end: the client, or the server behind the gateway.
final class RawPeer: Sendable {
  struct State: Sendable {
    /// What came and was not read yet.
    var unread = ByteBuffer()
    /// What came altogether.
    var count = 0
    var hash = SHA256()
    /// Whether bytes are only counted and hashed.
    var discards = false
    var inputHasEnded = false
    var isClosed = false
    var error: String?

    var text: String { String(buffer: self.unread) }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private struct Waiter: Sendable {
    let condition: @Sendable (State) -> Bool
    let promise: EventLoopPromise<Void>
  }

  let channel: any Channel
  private let state = NIOLockedValueBox<(State, [Waiter])>((State(), []))

  init(_ channel: any Channel) {
    self.channel = channel
  }

  static func connect(port: Int, tls: NIOSSLContext?, serverName: String = "localhost") async throws -> RawPeer {
    let ready = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: RawPeer.self)
    let channel: any Channel
    do {
      channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelOption(.allowRemoteHalfClosure, value: true)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let peer = RawPeer(channel)
            if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: serverName)) }
            try channel.pipeline.syncOperations.addHandler(PeerHandler(peer, ready: tls == nil ? nil : ready))
            if tls == nil { ready.succeed(peer) }
          }
        }
        .connect(host: "127.0.0.1", port: port).get()
    } catch {
      ready.fail(error)
      throw error
    }
    _ = channel
    return try await ready.futureResult.get()
  }

  var now: State { self.state.withLockedValue { $0.0 } }

  func update(_ change: (inout State) -> Void) {
    let ready = self.state.withLockedValue { state in
      change(&state.0)
      let value = state.0
      let ready = state.1.filter { $0.condition(value) }
      state.1.removeAll { $0.condition(value) }
      return ready
    }
    for waiter in ready { waiter.promise.succeed() }
  }

  /// Waits until the condition holds; the time is a bound on failure and never measured.
  @discardableResult
  func reaches(_ what: String, seconds: Int64 = 60, _ condition: @escaping @Sendable (State) -> Bool) async throws -> State {
    let promise = self.channel.eventLoop.makePromise(of: Void.self)
    let holds = self.state.withLockedValue { state in
      if condition(state.0) { return true }
      state.1.append(Waiter(condition: condition, promise: promise))
      return false
    }
    if holds { promise.succeed() }
    let timer = self.channel.eventLoop.scheduleTask(in: .seconds(seconds)) {
      promise.fail(Failure(description: "not seen: \(what); seen: \(self.now.text.debugDescription) \(self.now.error ?? "")"))
    }
    do {
      try await promise.futureResult.get()
    } catch {
      self.state.withLockedValue { $0.1.removeAll { $0.promise.futureResult === promise.futureResult } }
      throw error
    }
    timer.cancel()
    return self.now
  }

  func send(_ text: String) async throws { try await self.channel.writeAndFlush(ByteBuffer(string: text)).get() }
  func send(_ bytes: ByteBuffer) async throws { try await self.channel.writeAndFlush(bytes).get() }

  /// Sends without waiting for the bytes to leave.
  func sendLater(_ bytes: ByteBuffer) -> EventLoopFuture<Void> { self.channel.writeAndFlush(bytes) }

  /// Everything up to and with the marker.
  func read(until marker: String) async throws -> String {
    try await self.reaches(marker) { $0.text.contains(marker) || $0.isClosed }
    var result = ""
    self.update { state in
      guard let range = state.text.range(of: marker) else { return }
      result = String(state.text[..<range.upperBound])
      state.unread.moveReaderIndex(forwardBy: result.utf8.count)
    }
    guard !result.isEmpty else { throw Failure(description: "closed before \(marker): \(self.now.text) \(self.now.error ?? "")") }
    return result
  }

  func readHead() async throws -> String { try await self.read(until: "\r\n\r\n") }

  /// Ends the direction in which it sends: TLS's `close_notify`, and a FIN.
  func closeOutput() async throws { try await self.channel.close(mode: .output).get() }
  func close() async { try? await self.channel.close().get() }

  /// Closes the socket below TLS.
  func cut() async throws {
    let channel = self.channel
    try await channel.eventLoop.submit {
      let pipeline = channel.pipeline.syncOperations
      if let tls = (try? pipeline.context(handlerType: NIOSSLClientHandler.self))
        ?? (try? pipeline.context(handlerType: NIOSSLServerHandler.self))
      {
        tls.close(promise: nil)
      } else {
        channel.close(promise: nil)
      }
    }.get()
  }

  func setReading(_ isReading: Bool) async throws { try await self.channel.setOption(.autoRead, value: isReading).get() }
}

final class PeerHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let peer: RawPeer
  private let ready: EventLoopPromise<RawPeer>?

  init(_ peer: RawPeer, ready: EventLoopPromise<RawPeer>?) {
    self.peer = peer
    self.ready = ready
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { self.ready?.succeed(self.peer) }
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { self.peer.update { $0.inputHasEnded = true } }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = self.unwrapInboundIn(data)
    self.peer.update { state in
      state.count += bytes.readableBytes
      bytes.withUnsafeReadableBytes { state.hash.update(bufferPointer: $0) }
      if !state.discards { state.unread.writeImmutableBuffer(bytes) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.peer.update { $0.error = $0.error ?? "\(error)" }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.ready?.fail(RawPeer.Failure(description: "closed in the handshake: \(self.peer.now.error ?? "")"))
    self.peer.update { state in
      state.isClosed = true
      if state.error == nil { state.inputHasEnded = true }
    }
  }
}
