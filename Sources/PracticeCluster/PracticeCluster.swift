public import Logging
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SwiftASN1
import X509

import struct Foundation.Date

/// An API server to practise on: a stand-in with a Kubernetes API, some objects, and RBAC for a few groups.
///
/// It believes exactly what a real one believes about who sends a request, and reads requests as a real one does; it runs
/// nothing: no kubelet, no controllers, no storage. Its pods know a dozen commands and keep files in memory. It says so in its version (`v1.36.0-practice`), in its `Server` field
/// and in its log, and it listens on the loopback interface only.
public final class PracticeCluster: Sendable {
  /// The value of the `Server` field in every answer.
  public static let serverName = "sallyport-practice-cluster"

  /// Certificates and keys, all PEM.
  public struct Configuration: Sendable {
    /// The server's certificate, with intermediates behind it.
    public var serverCertificate: String
    public var serverKey: String
    /// Whose certificates may state an identity by `X-Remote-*` (`--requestheader-client-ca-file`).
    public var requestHeaderCA: String
    /// The common names that may do so; empty allows all (`--requestheader-allowed-names`).
    public var requestHeaderAllowedNames: [String]
    /// Whose certificates stand for users themselves (`--client-ca-file`).
    public var clientCA: String?
    /// Whose id_tokens are believed; see also ``PracticeCluster/believe(_:)``.
    public var tokenIssuers: [TokenIssuer] = []
    /// Whether the demonstration's namespaces, pods, secrets and config maps are there from the start.
    public var isSeeded: Bool
    /// Protocols of exec, attach and port-forward that are not spoken, as older servers do not: one before 1.29 knows no
    /// `v5.channel.k8s.io` over WebSocket, one before 1.30 no `SPDY/3.1+portforward.k8s.io`.
    public var refusedStreamProtocols: Set<String> = []

    public init(
      serverCertificate: String, serverKey: String, requestHeaderCA: String,
      requestHeaderAllowedNames: [String] = ["front-proxy-client"], clientCA: String? = nil, isSeeded: Bool = true
    ) {
      self.serverCertificate = serverCertificate
      self.serverKey = serverKey
      self.requestHeaderCA = requestHeaderCA
      self.requestHeaderAllowedNames = requestHeaderAllowedNames
      self.clientCA = clientCA
      self.isSeeded = isSeeded
    }
  }

  /// Why a practice cluster does not start.
  public enum StartError: Error, Equatable, CustomStringConvertible {
    /// The address is none of the loopback interface.
    case notLoopback(String)
    /// A PEM text holds no certificate.
    case noCertificate(String)

    public var description: String {
      switch self {
      case .notLoopback(let address): "the practice cluster listens on the loopback interface only, not on \(address)"
      case .noCertificate(let what): "the practice cluster's \(what) holds no certificate"
      }
    }
  }

  private let channel: any Channel
  private let recorder: RequestRecorder
  let connections: ConnectionRegistry
  let store: ObjectStore
  private let oidc: OIDCAuthenticator
  private let tokens: TokenTable

  /// The port that it listens on.
  public let port: Int
  /// The address that it listens on: `127.0.0.1` or `::1`.
  public let host: String
  /// `https://127.0.0.1:34567`
  public var url: String { "https://\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)" }

  private init(
    channel: any Channel, host: String, port: Int, recorder: RequestRecorder, connections: ConnectionRegistry, store: ObjectStore,
    oidc: OIDCAuthenticator, tokens: TokenTable
  ) {
    self.oidc = oidc
    self.tokens = tokens
    self.channel = channel
    self.host = host
    self.port = port
    self.recorder = recorder
    self.connections = connections
    self.store = store
  }

  /// Starts a practice cluster.
  ///
  /// - Parameters:
  ///   - host: `127.0.0.1`, another address in 127.0.0.0/8, or `::1`
  ///   - port: 0 takes a free one
  /// - Throws: ``StartError`` for an address off loopback, before anything is bound; NIOSSL's and X509's errors for PEM text
  ///   that cannot be read; an `IOError` where the port is taken
  public static func start(
    _ configuration: Configuration, host: String = "127.0.0.1", port: Int = 0, group: any EventLoopGroup, logger: Logger
  ) async throws -> PracticeCluster {
    let address = try Loopback.address(host: host, port: port)
    let verifier = PeerVerifier(
      requestHeaderRoots: try Self.certificates(in: configuration.requestHeaderCA, "request-header CA"),
      clientRoots: try configuration.clientCA.map { try Self.certificates(in: $0, "client CA") } ?? [],
      allowedNames: configuration.requestHeaderAllowedNames)
    let context = try TLSSetup.context(configuration)
    let store = ObjectStore()
    if configuration.isSeeded { try DemoSeed.plant(in: store) }
    let recorder = RequestRecorder()
    let server = APIServer(
      store: store, recorder: recorder, serverAddress: "\(host):\(port)",
      refusedStreamProtocols: configuration.refusedStreamProtocols)
    server.oidc.believe(configuration.tokenIssuers)
    let connections = ConnectionRegistry()
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 32 * 1024, high: 128 * 1024))
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          connections.insert(channel)
          try TLSSetup.addHandlers(to: channel, context: context, verifier: verifier, server: server, registry: connections)
        }
      }
      .bind(to: address).get()
    let port = channel.localAddress?.port ?? port
    logger.notice(
      "practice cluster listens; it is a stand-in and no Kubernetes",
      metadata: ["address": "\(host):\(port)", "version": "\(DiscoveryDocuments.gitVersion)"])
    return PracticeCluster(
      channel: channel, host: host, port: port, recorder: recorder, connections: connections, store: store, oidc: server.oidc,
      tokens: server.tokens)
  }

  /// A token of the service account `sallyport` in the namespace `sallyport`, which may do what a gateway needs that acts as
  /// its users (`deploy/rbac/impersonation.yaml`).
  public func gatewayToken(lifetime seconds: Double = 3600) -> String {
    let name = ServiceAccountName(user: RoleTable.gatewayUser)
    return self.tokens.issue(
      for: UserInfo(name: RoleTable.gatewayUser, groups: name?.groups ?? []), until: Date().addingTimeInterval(seconds))
  }

  /// Believes the id_tokens of these issuers and of no others, with keys that are fetched anew.
  public func believe(_ issuers: [TokenIssuer]) { self.oidc.believe(issuers) }

  /// The last requests (at most 4096), the oldest first: what really reached the upstream. A request is recorded when its
  /// answer begins.
  public func recordedRequests() -> [RecordedRequest] { self.recorder.all }

  /// Forgets the recorded requests.
  public func clearRecordedRequests() { self.recorder.clear() }

  /// How many watches are open.
  public var openWatches: Int { self.store.watcherCount }

  /// How many connections are open whose client has left HTTP for exec, attach or a port-forward.
  public var openTunnels: Int { self.connections.openTunnels }

  /// How many connections are open altogether.
  public var openConnections: Int { self.connections.openConnections }

  /// Stops listening and closes every connection.
  public func close() async {
    try? await self.channel.close().get()
    await self.connections.closeAll()
  }

  private static func certificates(in pem: String, _ what: String) throws -> [Certificate] {
    let certificates = try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)).map { try Certificate(derEncoded: $0.toDERBytes()) }
    guard !certificates.isEmpty else { throw StartError.noCertificate(what) }
    return certificates
  }
}
