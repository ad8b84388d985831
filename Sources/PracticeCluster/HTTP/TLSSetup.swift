import NIOCore
import NIOHTTP1
import NIOSSL

/// TLS and HTTP/1.1 of one connection, by NIOSSL and NIOHTTP1 as they come.
enum TLSSetup {
  /// As large as a real server's limit, about 1 MB of request line and fields.
  private static let headerLimit = 1024 * 1024

  static func context(_ configuration: PracticeCluster.Configuration) throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMBytes(Array(configuration.serverCertificate.utf8))
    guard !chain.isEmpty else { throw PracticeCluster.StartError.noCertificate("server certificate") }
    var tls = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(configuration.serverKey.utf8), format: .pem)))
    tls.minimumTLSVersion = .tlsv12
    tls.applicationProtocols = ["http/1.1"]
    tls.certificateVerification = .optionalVerification
    return try NIOSSLContext(configuration: tls)
  }

  static func addHandlers(
    to channel: any Channel, context: NIOSSLContext, verifier: PeerVerifier, server: APIServer,
    registry: ConnectionRegistry
  ) throws {
    let tls = NIOSSLServerHandler(
      context: context,
      customVerificationCallback: { certificates, promise in
        // Any certificate may connect; what it proves is looked up when a request comes.
        promise.completeWithTask {
          await verifier.verify(certificates)
          return .certificateVerified
        }
      })
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = self.headerLimit
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(tls)
    // As `configureHTTPServerPipeline` sets them up, but that a decoder which is taken out hands on what it has not read.
    let handlers: [any RemovableChannelHandler] = [
      HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)),
      NIOHTTPResponseHeadersValidator(), HTTPServerProtocolErrorHandler(),
    ]
    for handler in handlers { try pipeline.addHandler(handler) }
    try pipeline.addHandler(
      ConnectionHandler(
        verifier: verifier, registry: registry, http: handlers, prepare: { head, eventLoop in server.prepare(for: head, on: eventLoop) }
      ) { head, body, peer in
        server.respond(to: head, body, peer)
      })
  }
}
