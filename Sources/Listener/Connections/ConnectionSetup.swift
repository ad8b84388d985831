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
    switch self.registry.admit(channel, peer: peer, now: channel.eventLoop.now) {
    case .admitted: break
    case .closed: throw Refused()
    case .refused(let report):
      if let report { self.receiver.connectionFailed(report, from: address, listener: self.name) }
      throw Refused()
    }
    guard let tls = self.tls else {
      let facts = ConnectionFacts(
        listener: self.name, clientAddress: address, isTrustedPeer: self.isTrusted(channel.remoteAddress), tlsVersion: nil,
        serverName: nil, clientCertificate: nil, isTrustedAddress: self.isTrusted)
      return try self.addFront(to: channel, position: .last, facts)
    }
    let generation = tls.current
    let handshake = HandshakeHandler(setup: self, generation: generation, address: address)
    let server =
      generation.trust == nil
      ? NIOSSLServerHandler(context: generation.context)
      : NIOSSLServerHandler(
        context: generation.context, customVerificationCallbackWithMetadata: { handshake.verify($0, $1) })
    try channel.pipeline.syncOperations.addHandlers([ClientHelloHandler(handshake: handshake), server, handshake])
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
