import NIOCore
import NIOSSL
import SallyportCore
import SallyportWire

import struct Foundation.Date

/// What every connection of a listener is set up with.
struct ConnectionSetup: Sendable {
  let name: String
  let tls: ServerTLS?
  let trustedPeers: [AddressRange]
  let expectsProxyHeader: Bool
  let messages: MessageLimits
  let timeouts: ListenerTimeouts
  let streamsPerConnection: Int
  let receiver: any RequestReceiver
  let registry: ConnectionRegistry
  let now: @Sendable () -> Date

  init(
    _ configuration: ListenerConfiguration, tls: ServerTLS?, receiver: any RequestReceiver, registry: ConnectionRegistry,
    now: @escaping @Sendable () -> Date
  ) {
    self.name = configuration.name
    self.tls = tls
    self.trustedPeers = configuration.trustedPeers
    self.expectsProxyHeader = configuration.expectsProxyHeader
    self.messages = configuration.messages
    self.timeouts = configuration.timeouts
    self.streamsPerConnection = configuration.connections.streamsPerConnection
    self.receiver = receiver
    self.registry = registry
    self.now = now
  }

  /// A connection that is not taken.
  struct Refused: Error {}

  /// Sets up an accepted connection, on its event loop.
  ///
  /// - Throws: ``Refused`` over a limit; the connection is closed then
  func setUp(_ channel: any Channel) throws {
    let peer = channel.remoteAddress.flatMap(PeerAddress.init)
    let address = ClientAddress(peer: channel.remoteAddress)
    let isTrusted = self.isTrusted(channel.remoteAddress)
    let awaitsHeader = self.expectsProxyHeader && isTrusted
    // Whose connection it is, and by whom it is counted, a proxy has yet to say.
    switch self.registry.admit(channel, peer: awaitsHeader ? nil : peer, now: channel.eventLoop.now) {
    case .admitted: break
    case .closed: throw Refused()
    case .refused(let report):
      if let report { self.receiver.connectionFailed(report, from: address, listener: self.name) }
      throw Refused()
    }
    let deadline = channel.eventLoop.now + self.timeouts.handshake
    if awaitsHeader {
      try channel.pipeline.syncOperations.addHandler(ProxyHeaderHandler(setup: self, peer: address, deadline: deadline))
    } else {
      try self.addTransport(to: channel, position: .last, Peer(address: address, isTrusted: isTrusted), deadline: deadline)
    }
  }

  /// Sets up a connection whose PROXY header has come: the address in it is the peer's from now on.
  ///
  /// - Throws: ``Refused`` over a limit; the connection has to be closed then
  func setUp(
    _ channel: any Channel, behind header: ProxyHeader, of proxy: ClientAddress,
    position: ChannelPipeline.SynchronousOperations.Position, deadline: NIODeadline
  ) throws {
    let peer: Peer
    switch header {
    // What it forwards is not believed then: it does not say for whom it speaks, so that a client may be behind it.
    case .proxyItself: peer = Peer(address: proxy, isTrusted: false)
    case .client(let address):
      peer = Peer(address: ClientAddress(peer: address), isTrusted: self.isTrusted(address))
      if let report = self.registry.count(channel, as: PeerAddress(address), now: channel.eventLoop.now) {
        if case .refused(let problem?) = report { self.receiver.connectionFailed(problem, from: peer.address, listener: self.name) }
        throw Refused()
      }
    }
    try self.addTransport(to: channel, position: position, peer, deadline: deadline)
  }

  /// Sets up a connection of this machine's own, without TLS.
  ///
  /// - Throws: ``Refused`` over a limit; the connection is closed then
  func setUp(_ channel: any Channel, of peer: LocalPeer) throws {
    guard case .admitted = self.registry.admit(channel, peer: nil, now: channel.eventLoop.now) else { throw Refused() }
    let facts = ConnectionFacts(
      listener: self.name, clientAddress: ClientAddress(ip: "", port: 0), isTrustedPeer: false, tlsVersion: nil, serverName: nil,
      clientCertificate: nil, localPeer: peer)
    try self.addFront(to: channel, position: .last, facts)
  }

  /// Whose connection it is.
  struct Peer {
    let address: ClientAddress
    /// Whether its `X-Forwarded-*` fields are believed.
    let isTrusted: Bool
  }

  /// Adds TLS, and what makes way for HTTP behind the handshake; HTTP alone where there is no TLS.
  private func addTransport(
    to channel: any Channel, position: ChannelPipeline.SynchronousOperations.Position, _ peer: Peer, deadline: NIODeadline
  ) throws {
    guard let tls = self.tls else {
      let facts = ConnectionFacts(
        listener: self.name, clientAddress: peer.address, isTrustedPeer: peer.isTrusted, tlsVersion: nil, serverName: nil,
        clientCertificate: nil, isTrustedAddress: self.isTrusted)
      return try self.addFront(to: channel, position: position, facts)
    }
    let generation = tls.current
    let handshake = HandshakeHandler(setup: self, generation: generation, peer: peer, deadline: deadline)
    let server =
      generation.trust == nil
      ? NIOSSLServerHandler(context: generation.context)
      : NIOSSLServerHandler(
        context: generation.context, customVerificationCallbackWithMetadata: { handshake.verify($0, $1) })
    try channel.pipeline.syncOperations.addHandlers([ClientHelloHandler(handshake: handshake), server, handshake], position: position)
  }

  @Sendable func isTrusted(_ ip: String) -> Bool { self.isTrusted(try? SocketAddress(ipAddress: ip, port: 0)) }

  func isTrusted(_ address: SocketAddress?) -> Bool {
    guard !self.trustedPeers.isEmpty, let peer = address.flatMap(PeerAddress.init) else { return false }
    return self.trustedPeers.contains { $0.contains(peer) }
  }

  /// Adds what speaks HTTP with the client.
  func addFront(
    to channel: any Channel, position: ChannelPipeline.SynchronousOperations.Position, _ facts: ConnectionFacts
  ) throws {
    switch facts.httpVersion {
    case .http1:
      let front = HTTP1FrontHandler(
        receiver: self.receiver, facts: facts, limits: self.messages, timeouts: self.timeouts, now: channel.eventLoop.now)
      try channel.pipeline.syncOperations.addHandler(front, position: position)
    case .http2: try HTTP2Setup.addHandlers(to: channel, position: position, setup: self, facts: facts)
    }
  }
}
