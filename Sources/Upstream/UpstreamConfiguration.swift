public import NIOCore
public import SallyportCore

/// One upstream: its servers, whom to trust, and how many connections to keep.
public struct UpstreamConfiguration: Sendable, Equatable {
  /// A server, as `https://host:port` or `http://host:port` names it.
  public struct Server: Sendable, Hashable, CustomStringConvertible {
    /// A host name or an IP address, an IPv6 address without brackets.
    public let host: String
    public let port: Int
    public let tls: Bool

    public init(host: String, port: Int, tls: Bool = true) {
      self.host = host
      self.port = port
      self.tls = tls
    }

    /// What `Host` says: the port is left out where it is the scheme's own (RFC 9110 section 7.2).
    public var authority: String {
      let host = self.host.contains(":") ? "[\(self.host)]" : self.host
      return self.port == (self.tls ? 443 : 80) ? host : "\(host):\(self.port)"
    }

    public var description: String { "\(self.tls ? "https" : "http")://\(self.authority)" }
  }

  /// A client certificate that requests may travel with.
  public struct ClientCertificate: Sendable, Hashable {
    /// What a request's credential names to come with this certificate. It must be the certificate file's own fingerprint.
    public let identity: UpstreamCredential.ConnectionIdentity
    /// PEM: the leaf first, then intermediates.
    public let certificateFile: String
    /// PEM.
    public let privateKeyFile: String

    public init(identity: UpstreamCredential.ConnectionIdentity, certificateFile: String, privateKeyFile: String) {
      self.identity = identity
      self.certificateFile = certificateFile
      self.privateKeyFile = privateKeyFile
    }

    /// - Throws: ``Problem`` when the certificate file cannot be read.
    public init(certificateFile: String, privateKeyFile: String) throws(Problem) {
      self.init(
        identity: try .init(certificateFile: certificateFile), certificateFile: certificateFile, privateKeyFile: privateKeyFile)
    }
  }

  public var name: String
  /// At least one; requests take turns over them.
  public var servers: [Server]
  /// PEM file of the certificates that a server's chain must end in; `nil` for the system's own roots.
  public var rootsFile: String?
  /// The name that every server's certificate must hold; `nil` where each must hold its own host name or address.
  public var serverName: String?
  public var clientCertificates: [ClientCertificate]
  /// How long TCP and TLS may take to be ready. 5 seconds unless told otherwise.
  public var connectTimeout: TimeAmount
  /// How long a connection may lie unused: below the server's own limit, which for kube-apiserver is 90 seconds or more.
  /// 30 seconds unless told otherwise.
  public var idleTimeout: TimeAmount
  /// The most connections of one event loop and client certificate. A watch over HTTP/1.1 holds one as long as it lasts.
  public var maximumConnectionsPerEventLoop: Int
  /// The most requests of one event loop and client certificate that wait for a connection; more are refused with 503.
  public var maximumWaitingPerEventLoop: Int
  /// The most certificates made for identities that have connections of one event loop; those used least recently give theirs
  /// up for others. 2048 unless told otherwise.
  public var maximumIdentitiesPerEventLoop = 2048
  /// How long a request waits for a connection, the time to make one included. 10 seconds unless told otherwise.
  public var waitLimit: TimeAmount
  /// How long after the whole request was sent the head of the answer may take; `nil` for no limit. An API server answers a
  /// watch at once, but a request that runs long (`limits`, webhooks, `wait`) is its own business.
  public var responseHeadTimeout: TimeAmount?
  /// Whether servers are told by `X-Forwarded-Host` and `X-Forwarded-Proto` what clients know the gateway as: a web UI makes links
  /// of it, an API server has no use for it.
  public var tellsOrigin = false

  public init(
    name: String, servers: [Server], rootsFile: String?, serverName: String? = nil, clientCertificates: [ClientCertificate] = [],
    connectTimeout: TimeAmount = .seconds(5), idleTimeout: TimeAmount = .seconds(30), maximumConnectionsPerEventLoop: Int = 1024,
    maximumWaitingPerEventLoop: Int = 1024, waitLimit: TimeAmount = .seconds(10), responseHeadTimeout: TimeAmount? = nil
  ) {
    self.name = name
    self.servers = servers
    self.rootsFile = rootsFile
    self.serverName = serverName
    self.clientCertificates = clientCertificates
    self.connectTimeout = connectTimeout
    self.idleTimeout = idleTimeout
    self.maximumConnectionsPerEventLoop = maximumConnectionsPerEventLoop
    self.maximumWaitingPerEventLoop = maximumWaitingPerEventLoop
    self.waitLimit = waitLimit
    self.responseHeadTimeout = responseHeadTimeout
  }
}
