import NIOCore
import NIOSSL
import NIOTLS
import SallyportCore

import struct Foundation.Date

/// Follows one TLS handshake and makes way for the HTTP front once it is known who is there.
///
/// Whose certificate a connection shows is believed only by a verification that this connection's generation remembers,
/// and only while that generation's trust is the listener's present one: a session resumed from before either gets no
/// identity, and no connection.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let setup: ConnectionSetup
  private let generation: TLSGeneration
  private let peer: ConnectionSetup.Peer
  private let deadline: NIODeadline
  private var context: ChannelHandlerContext?
  private var timer: Scheduled<Void>?
  /// Why the client's certificate was refused; the library only says that it was.
  private var refusal: Problem?
  private var hasBegun = false
  /// Whether the client's certificate was looked at in this handshake, and not taken from a session's ticket.
  private var hasVerified = false
  private var isOver = false
  /// Whether the listener ends: the connection may carry what its client came for, and goes then.
  private var windsDown = false
  var serverName: String?

  /// - Parameter deadline: when the handshake must be over
  init(setup: ConnectionSetup, generation: TLSGeneration, peer: ConnectionSetup.Peer, deadline: NIODeadline) {
    self.setup = setup
    self.generation = generation
    self.peer = peer
    self.deadline = deadline
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    self.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: self.deadline) { self.timedOut() }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.timer?.cancel()
    self.timer = nil
    self.context = nil
  }

  /// The client has sent something.
  func helloBegan() { self.hasBegun = true }

  /// The handshake is over, badly; only the first reason counts.
  func failed(with problem: Problem) {
    guard !self.isOver else { return }
    self.isOver = true
    self.timer?.cancel()
    self.setup.receiver.connectionFailed(problem, from: self.peer.address, listener: self.setup.name)
  }

  private func timedOut() {
    // A client that connected and said nothing has wasted nobody's time but its own.
    if self.hasBegun { self.failed(with: ListenerProblem.tlsHandshakeTimedOut) }
    self.isOver = true
    self.context?.closeTransport()
  }

  // MARK: Verification

  /// Verifies the chain that the client presented; called by the TLS library, in the middle of a full handshake.
  func verify(_ chain: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResultWithMetadata>) {
    self.hasVerified = true
    guard let trust = self.generation.trust, let encoded = try? chain.map({ try $0.toDERBytes() }), let leaf = encoded.first else {
      self.refusal = ListenerProblem.certificateUnreadable
      return promise.succeed(.failed)
    }
    let now = self.setup.now()
    let fingerprint = VerifiedCertificate.fingerprint(of: leaf)
    if self.generation.verification(of: fingerprint, at: now) != nil {
      return promise.succeed(.certificateVerified(VerificationMetadata(nil)))
    }
    let generation = self.generation
    let handler = NIOLoopBound(self, eventLoop: promise.futureResult.eventLoop)
    let verification = promise.futureResult.eventLoop.makePromise(of: Result<VerifiedClient, Problem>.self)
    verification.completeWithTask { await trust.verify(encoded, fingerprint: fingerprint, at: now) }
    verification.futureResult.whenSuccess { result in
      switch result {
      case .success(let client):
        generation.remember(client)
        promise.succeed(.certificateVerified(VerificationMetadata(nil)))
      case .failure(let problem):
        handler.value.refusal = problem
        promise.succeed(.failed)
      }
    }
    verification.futureResult.whenFailure { _ in promise.succeed(.failed) }
  }

  // MARK: The end of the handshake

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent, !self.isOver {
      self.completed(context, speaking: negotiated == "h2" ? .http2 : .http1)
    } else if case .windDown? = event as? ConnectionEvent {
      self.windsDown = true
    } else if event is ConnectionEvent {
      // There is no request yet that could be waited for.
      self.isOver = true
      context.closeTransport()
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if self.hasBegun {
      self.failed(with: self.refusal ?? ListenerProblem.tlsHandshakeFailed.with(detail: "\(error)"))
    }
    self.isOver = true
    context.closeTransport()
  }

  private func completed(_ context: ChannelHandlerContext, speaking version: ConnectionHTTPVersion) {
    self.isOver = true
    self.timer?.cancel()
    let tls: NIOSSLServerHandler
    let client: VerifiedClient?
    do {
      tls = try context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
      client = try self.certificate(shownBy: tls, on: context.channel)
    } catch {
      self.setup.receiver.connectionFailed(
        error as? Problem ?? ListenerProblem.tlsHandshakeFailed.with(detail: "\(error)"), from: self.peer.address,
        listener: self.setup.name)
      context.closeTransport()
      return
    }
    let facts = ConnectionFacts(
      listener: self.setup.name, clientAddress: self.peer.address, isTrustedPeer: self.peer.isTrusted,
      tlsVersion: Self.name(of: tls.tlsVersion), serverName: self.serverName, clientCertificate: client?.certificate, httpVersion: version,
      isTrustedAddress: self.setup.isTrusted)
    self.setup.receiver.handshakeCompleted(facts, certificate: client == nil ? .none : self.hasVerified ? .verified : .resumed)
    do {
      try self.setup.addFront(to: context.channel, position: .after(self), facts)
    } catch {
      context.closeTransport()
      return
    }
    if self.windsDown { context.channel.tell(.windDown) }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  /// The certificate that the connection shows, if it is believed; `nil` when it shows none.
  private func certificate(shownBy tls: NIOSSLServerHandler, on channel: any Channel) throws -> VerifiedClient? {
    guard let shown = tls.peerCertificate else { return nil }
    let fingerprint = VerifiedCertificate.fingerprint(of: try shown.toDERBytes())
    // Noted before it is judged: trust that is replaced from here on finds the connection among those to end.
    if let trust = self.generation.trust { self.setup.registry.note(channel, trustedBy: trust) }
    let isCurrent = self.generation.trust != nil && self.generation.trust === self.setup.tls?.current.trust
    guard isCurrent, let client = self.generation.verification(of: fingerprint, at: self.setup.now()) else {
      throw ListenerProblem.certificateNotFresh.with(detail: "fingerprint \(fingerprint)")
    }
    return client
  }

  private static func name(of version: TLSVersion?) -> String? {
    switch version {
    case .tlsv1: "TLSv1"
    case .tlsv11: "TLSv1.1"
    case .tlsv12: "TLSv1.2"
    case .tlsv13: "TLSv1.3"
    case nil: nil
    }
  }
}
