import SallyportStrictYAML

extension GatewayConfiguration {
  /// Something that answers requests: one or more servers that are the same to a client.
  public struct Upstream: Sendable, Equatable {
    /// How requests for it are read.
    public enum Kind: String, Sendable, CaseIterable {
      /// As kube-apiserver reads them.
      case kubernetes
      /// As any HTTP server may read them, so that everything ambiguous is refused.
      case generic
    }

    public let name: String
    public let kind: Kind
    public let servers: [ServerURL]
    /// PEM, the authorities of the servers' certificates; `nil` for the system's.
    public let caFile: NamedFile?
    /// The name that the servers' certificates must carry and that is asked for by SNI; `nil` for the URL's host.
    public let serverName: String?
    public let connectTimeout: Duration
    /// How long an unused connection is kept.
    public let idleTimeout: Duration
    /// The most connections of one event loop.
    public let maximumConnections: Int
    /// From the request's end to the answer's head; `nil` for no limit, which watches and slow lists need.
    public let responseHeadTimeout: Duration?
    /// `nil` for none: then no rule can speak of the API's operations.
    public let openapi: APIDescription?

    /// Whether all servers are reached by TLS.
    public var isEncrypted: Bool { self.servers.allSatisfy { $0.scheme == .https } }
  }
}

extension GatewayConfiguration.Upstream {
  init?(_ yaml: YAMLCursor) {
    let upstream: Self? = yaml.mapping { keys in
      let name = keys.required("name")?.name()
      let kind = keys.optional("kind")?.choice(of: Kind.self) ?? .generic
      let plaintext = keys.optional("insecurePlaintext")
      let allowsPlaintext = plaintext?.boolean() ?? false
      let servers = keys.required("servers")?.list(atLeast: 1) { Self.server($0, allowsPlaintext: allowsPlaintext) }
      let caFile = keys.optional("caFile")?.file()
      let serverName = keys.optional("serverName")?.parsed { text throws(ValueFault) in try HostName.orAddress(text) }
      let timeouts = Duration.milliseconds(100)...Duration.seconds(3600)
      let connectTimeout = keys.optional("connectTimeout")?.duration(in: timeouts) ?? .seconds(5)
      let idleTimeout = keys.optional("idleTimeout")?.duration(in: timeouts) ?? .seconds(30)
      let maximum = keys.optional("maximumConnections")?.integer(in: 1...65_536) ?? 4096
      let headTimeout = keys.optional("responseHeadTimeout")?.duration(in: timeouts)
      let openapi = keys.optional("openapi")?.apiDescription()
      guard let name, let servers, !servers.isEmpty else { return nil }
      if openapi == .upstream, kind != .kubernetes {
        yaml["openapi"].fault("asks an upstream that is no API server", "name a file, or set kind: kubernetes")
      }
      if allowsPlaintext, servers.allSatisfy({ $0.scheme == .https }) {
        plaintext?.fault("is true while every server is https", "remove it")
      }
      for (index, server) in servers.enumerated() where servers[..<index].contains(server) {
        yaml["servers"][index].fault("names the same server as an earlier item", "remove it")
      }
      return Self(
        name: name, kind: kind, servers: servers, caFile: caFile, serverName: serverName, connectTimeout: connectTimeout,
        idleTimeout: idleTimeout, maximumConnections: maximum, responseHeadTimeout: headTimeout, openapi: openapi)
    }
    guard let upstream else { return nil }
    self = upstream
  }

  private static func server(_ yaml: YAMLCursor, allowsPlaintext: Bool) -> ServerURL? {
    guard let url = yaml.parsed(ServerURL.init(parsing:)) else { return nil }
    guard url.scheme == .https || allowsPlaintext else {
      yaml.fault("is not encrypted", "write an https URL, or set insecurePlaintext: true on this upstream")
      return nil
    }
    return url
  }
}
