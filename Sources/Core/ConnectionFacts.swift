public import NIOCore

/// What is known of a client connection once its handshake is done; the same for all its requests.
public final class ConnectionFacts: Sendable {
  /// The name of the listener in the configuration.
  public let listener: String
  /// The peer's address. What a trusted peer says of a request's sender is the request's: ``RequestOrigin``.
  public let clientAddress: ClientAddress
  /// Whether the peer is listed as trusted, so that its `X-Forwarded-*` fields are believed.
  public let isTrustedPeer: Bool
  /// Whether an address in canonical form is listed as a trusted peer's.
  public let isTrustedAddress: @Sendable (_ ip: String) -> Bool
  /// `TLSv1.2`, `TLSv1.3`; `nil` without TLS.
  public let tlsVersion: String?
  /// The host name that the client asked for in its handshake (SNI), in lower case.
  public let serverName: String?
  /// The client certificate that was verified in this listener's trust generation, if one was presented.
  public let clientCertificate: VerifiedCertificate?
  /// The version of HTTP that the connection was set up for.
  public let httpVersion: ConnectionHTTPVersion
  /// Who is at the other end of a Unix domain socket; `nil` for a connection from the network.
  public let localPeer: LocalPeer?

  public init(
    listener: String, clientAddress: ClientAddress, isTrustedPeer: Bool, tlsVersion: String?, serverName: String?,
    clientCertificate: VerifiedCertificate?, httpVersion: ConnectionHTTPVersion = .http1,
    isTrustedAddress: @escaping @Sendable (_ ip: String) -> Bool = { _ in false }, localPeer: LocalPeer? = nil
  ) {
    self.listener = listener
    self.clientAddress = clientAddress
    self.isTrustedPeer = isTrustedPeer
    self.isTrustedAddress = isTrustedAddress
    self.localPeer = localPeer
    self.tlsVersion = tlsVersion
    self.serverName = serverName
    self.clientCertificate = clientCertificate
    self.httpVersion = httpVersion
  }
}

/// What a TLS handshake had of a client certificate.
public enum HandshakeCertificate: String, Sendable, Hashable, CaseIterable {
  /// None was shown.
  case none
  /// One was shown and verified.
  case verified
  /// A session was resumed whose certificate was verified before.
  case resumed
}

/// What a connection speaks, in the words of the audit record. Behind the listener all requests are alike.
public enum ConnectionHTTPVersion: String, Sendable {
  case http1 = "HTTP/1.1"
  case http2 = "HTTP/2"
}

/// An IP address and port, kept as the text that the audit record shows and as bytes for the throttle.
public struct ClientAddress: Sendable, Hashable, CustomStringConvertible {
  /// The address without port or zone: `192.0.2.7`, `2001:db8::1`.
  public let ip: String
  public let port: Int

  public init(ip: String, port: Int) {
    self.ip = ip
    self.port = port
  }

  public init(_ address: SocketAddress?) {
    self.ip = address?.ipAddress ?? ""
    self.port = address?.port ?? 0
  }

  public var description: String { self.ip.contains(":") ? "[\(self.ip)]:\(self.port)" : "\(self.ip):\(self.port)" }
}
