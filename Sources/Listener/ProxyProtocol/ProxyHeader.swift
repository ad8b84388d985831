import NIOCore

/// What a proxy says at the front of a connection about the client that it carries (PROXY protocol, versions 1 and 2).
enum ProxyHeader: Equatable, Sendable {
  /// The client's address and port.
  case client(SocketAddress)
  /// The proxy speaks for itself, as its health checks do (`LOCAL`), or does not know for whom it speaks (`UNKNOWN`).
  case proxyItself
}

/// Why the front of a connection is no PROXY header.
enum ProxyHeaderFault: Error, Equatable {
  /// The connection begins with something else.
  case missing
  /// It begins as a header does and goes on as none. The text is ours; nothing that was received is quoted.
  case malformed(_ reason: String)
}
