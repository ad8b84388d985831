public import NIOCore
public import SallyportWire

/// One listener: where it listens, as whom, and how much it bears.
public struct ListenerConfiguration: Sendable {
  /// The listener's name in the configuration, for logs, metrics and the audit record.
  public var name: String
  /// An IP address or a name that resolves to one: `0.0.0.0`, `::`, `localhost`.
  public var host: String
  /// The port; 0 takes a free one (see ``Listener/localAddress``).
  public var port: Int
  /// `nil` for a listener without TLS.
  public var tls: ServerTLSConfiguration?
  /// The peers whose `X-Forwarded-*` fields are believed. By default nobody's.
  public var trustedPeers: [AddressRange]
  /// Whether trusted peers have to begin each connection with a PROXY header, which says whose connection it is. Nobody
  /// else may. By default nobody is asked for one.
  public var expectsProxyHeader: Bool
  public var messages: MessageLimits
  public var connections: ConnectionLimits
  public var timeouts: ListenerTimeouts

  public init(
    name: String, host: String, port: Int, tls: ServerTLSConfiguration?, trustedPeers: [AddressRange] = [],
    expectsProxyHeader: Bool = false, messages: MessageLimits = MessageLimits(), connections: ConnectionLimits = ConnectionLimits(),
    timeouts: ListenerTimeouts = ListenerTimeouts()
  ) {
    self.name = name
    self.host = host
    self.port = port
    self.tls = tls
    self.trustedPeers = trustedPeers
    self.expectsProxyHeader = expectsProxyHeader
    self.messages = messages
    self.connections = connections
    self.timeouts = timeouts
  }
}

/// The files that a TLS listener is made of, all PEM.
public struct ServerTLSConfiguration: Sendable, Hashable {
  public enum Version: String, Sendable, Hashable {
    case tls12 = "1.2"
    case tls13 = "1.3"
  }

  /// The server's certificate, leaf first, then its intermediates.
  public var certificateFile: String
  /// The leaf's private key, without a passphrase.
  public var privateKeyFile: String
  /// The authorities of client certificates. Where there are some, a client is asked for a certificate; it need not have
  /// one, but one that it presents must verify.
  public var clientCAFile: String?
  /// The oldest version that is spoken. By default TLS 1.2.
  public var minimumVersion: Version
  /// Whether clients are offered HTTP/2 beside HTTP/1.1 (ALPN, RFC 7301). By default they are.
  public var offersHTTP2: Bool

  public init(
    certificateFile: String, privateKeyFile: String, clientCAFile: String? = nil, minimumVersion: Version = .tls12,
    offersHTTP2: Bool = true
  ) {
    self.certificateFile = certificateFile
    self.privateKeyFile = privateKeyFile
    self.clientCAFile = clientCAFile
    self.minimumVersion = minimumVersion
    self.offersHTTP2 = offersHTTP2
  }
}

/// How many connections a listener holds at once; whoever comes on top is closed at accept.
public struct ConnectionLimits: Sendable, Hashable {
  /// All connections. By default 10,000.
  public var total: Int
  /// Connections from one address; an IPv6 address counts with its /64. By default 512.
  public var perAddress: Int
  /// Requests at once on one connection of HTTP/2; more break the protocol and end the connection. By default 100, as at
  /// kube-apiserver, and as many as a client may assume before it has heard of the limit.
  public var streamsPerConnection: Int

  public init(total: Int = 10_000, perAddress: Int = 512, streamsPerConnection: Int = 100) {
    self.total = total
    self.perAddress = perAddress
    self.streamsPerConnection = streamsPerConnection
  }
}

/// How long a client may take. An answer that streams (a watch) is under none of these but ``writeStall``.
public struct ListenerTimeouts: Sendable, Hashable {
  /// From accept to the end of the TLS handshake, a PROXY header before it included.
  public var handshake: TimeAmount
  /// From a head's first byte to its last; for a connection's first head from the handshake on.
  public var head: TimeAmount
  /// Between an answer and the next request's first byte.
  public var idle: TimeAmount
  /// Between two parts of a request's body, while the body is wanted.
  public var body: TimeAmount
  /// How long a client may take nothing of an answer while its connection can hold no more.
  public var writeStall: TimeAmount
  /// How long the rest of a request is thrown away behind an early answer, so that the client comes to read the answer.
  public var linger: TimeAmount

  public init(
    handshake: TimeAmount = .seconds(10), head: TimeAmount = .seconds(15), idle: TimeAmount = .minutes(3),
    body: TimeAmount = .minutes(1), writeStall: TimeAmount = .minutes(10), linger: TimeAmount = .seconds(2)
  ) {
    self.handshake = handshake
    self.head = head
    self.idle = idle
    self.body = body
    self.writeStall = writeStall
    self.linger = linger
  }
}
