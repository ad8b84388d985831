import SallyportStrictYAML

extension GatewayConfiguration {
  /// A door: an address with its certificate and its limits.
  public struct Listener: Sendable, Equatable {
    public let name: String
    public let address: HostAndPort
    public let tls: TLS
    /// Whether clients are offered HTTP/2 beside HTTP/1.1.
    public let http2: Bool
    public let clientAddress: ClientAddress
    public let limits: Limits
  }
}

extension GatewayConfiguration.Listener {
  public struct TLS: Sendable, Equatable {
    public enum Version: String, Sendable, CaseIterable {
      case tls12 = "1.2"
      case tls13 = "1.3"
    }

    /// PEM, the leaf first, then intermediates.
    public let certificateFile: NamedFile
    /// PEM, without a password.
    public let privateKeyFile: NamedFile
    /// PEM, one or more authorities of client certificates; without it no client is asked for a certificate.
    public let clientCAFile: NamedFile?
    public let minimumVersion: Version
  }

  /// Whose word on where a request came from is believed.
  public struct ClientAddress: Sendable, Equatable {
    /// The peers whose `X-Forwarded-For` is believed. Nobody unless named.
    public let trustedPeers: [AddressRange]
    /// Whether these peers begin each connection with a PROXY header.
    public let proxyProtocol: Bool
  }

  /// How much and how long the listener puts up with.
  public struct Limits: Sendable, Equatable {
    /// The most bytes of a request's head.
    public var headBytes = 64 * 1024
    /// The most fields in a request's head.
    public var fieldCount = 512
    /// The most connections at one time.
    public var connections = 16384
    /// The most connections of one client address at one time.
    public var connectionsPerAddress = 4096
    /// The most requests at one time on a connection of HTTP/2.
    public var streamsPerConnection = 100
    /// From the accepted connection to the finished TLS handshake.
    public var handshakeTimeout = Duration.seconds(10)
    /// From a head's first byte to its last.
    public var headTimeout = Duration.seconds(10)
    /// How long a kept connection may wait for its next request.
    public var idleTimeout = Duration.seconds(120)
    /// How long a request's body may make no progress.
    public var bodyTimeout = Duration.seconds(60)
    /// How long watches, other streamed answers and tunnels outlast the credential that they were admitted by.
    public var streamGrace = Duration.zero
    /// How long they last at most; `nil` for as long as both sides like.
    public var maximumStreamAge: Duration?

    public init() {}
  }
}

extension GatewayConfiguration.Listener {
  init?(_ yaml: YAMLCursor) {
    let listener: Self? = yaml.mapping { keys in
      let name = keys.required("name")?.name()
      let address = keys.required("address")?.parsed(HostAndPort.init(parsing:))
      let tls = keys.required("tls").flatMap(TLS.init)
      let http2 = keys.optional("http2")?.boolean() ?? true
      let clientAddress = keys.optional("clientAddress").map(ClientAddress.init) ?? ClientAddress(trustedPeers: [], proxyProtocol: false)
      let limits = keys.optional("limits").map(Limits.init) ?? Limits()
      guard let name, let address, let tls else { return nil }
      return Self(name: name, address: address, tls: tls, http2: http2, clientAddress: clientAddress, limits: limits)
    }
    guard let listener else { return nil }
    self = listener
  }
}

extension GatewayConfiguration.Listener.TLS {
  init?(_ yaml: YAMLCursor) {
    let tls: Self? = yaml.mapping { keys in
      let certificate = keys.required("certificateFile")?.file()
      let privateKey = keys.required("privateKeyFile")?.file()
      let clientCA = keys.optional("clientCAFile")?.file()
      let minimum = keys.optional("minimumVersion")?.choice(of: Version.self) ?? .tls12
      guard let certificate, let privateKey else { return nil }
      return Self(certificateFile: certificate, privateKeyFile: privateKey, clientCAFile: clientCA, minimumVersion: minimum)
    }
    guard let tls else { return nil }
    self = tls
  }
}

extension GatewayConfiguration.Listener.ClientAddress {
  init(_ yaml: YAMLCursor) {
    let address: Self? = yaml.mapping { keys in
      let listed = keys.optional("trustedPeers")
      let peers = listed?.list { $0.parsed(AddressRange.init(parsing:)) } ?? []
      let proxyProtocol = keys.optional("proxyProtocol")
      let isExpected = proxyProtocol?.boolean() ?? false
      // Without a list nobody would be asked for a header, and whoever wrote this believes that somebody is.
      if isExpected, (listed?.itemCount ?? 0) == 0 {
        proxyProtocol?.fault("expects a header of nobody", "list the proxies in `trustedPeers`")
      }
      return Self(trustedPeers: peers, proxyProtocol: isExpected)
    }
    self = address ?? Self(trustedPeers: [], proxyProtocol: false)
  }
}

extension GatewayConfiguration.Listener.Limits {
  /// kube-apiserver reads heads of up to 1 MiB (net/http's `DefaultMaxHeaderBytes`); more would never get through.
  static let headBytesRange = 1024...(1024 * 1024)
  static let timeoutRange = Duration.milliseconds(100)...Duration.seconds(3600)
  static let streamGraceRange = Duration.zero...Duration.seconds(24 * 3600)
  static let streamAgeRange = Duration.seconds(1)...Duration.seconds(30 * 24 * 3600)

  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      let range = Self.timeoutRange
      if let bytes = keys.optional("headBytes")?.size(in: Self.headBytesRange) { self.headBytes = bytes }
      if let count = keys.optional("fieldCount")?.integer(in: 16...10_000) { self.fieldCount = count }
      if let count = keys.optional("connections")?.integer(in: 1...1_000_000) { self.connections = count }
      if let count = keys.optional("connectionsPerAddress")?.integer(in: 1...1_000_000) { self.connectionsPerAddress = count }
      if let count = keys.optional("streamsPerConnection")?.integer(in: 1...1000) { self.streamsPerConnection = count }
      if let time = keys.optional("handshakeTimeout")?.duration(in: range) { self.handshakeTimeout = time }
      if let time = keys.optional("headTimeout")?.duration(in: range) { self.headTimeout = time }
      if let time = keys.optional("idleTimeout")?.duration(in: range) { self.idleTimeout = time }
      if let time = keys.optional("bodyTimeout")?.duration(in: range) { self.bodyTimeout = time }
      if let time = keys.optional("streamGrace")?.duration(in: Self.streamGraceRange) { self.streamGrace = time }
      self.maximumStreamAge = keys.optional("maximumStreamAge")?.duration(in: Self.streamAgeRange)
      return ()
    }
  }
}
