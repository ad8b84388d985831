import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#endif

/// Makes a channel to a server on an event loop within a time, an ``UpstreamConnection`` the last of its handlers.
typealias Connector = (Endpoint, TimeAmount, any EventLoop) -> EventLoopFuture<any Channel>

/// Connects by TCP; the TLS handshake begins with the connection and is not waited for.
func connectByTCP(_ endpoint: Endpoint, within timeout: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
  let bootstrap = ClientBootstrap(group: eventLoop)
    .connectTimeout(timeout)
    .withUpstreamSocketOptions()
    .channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        if let tls = try endpoint.makeTLSHandler() { try channel.pipeline.syncOperations.addHandler(tls) }
        try channel.pipeline.syncOperations.addHandler(UpstreamConnection(endpoint: endpoint))
      }
    }
  // An address needs no resolver, which would go by another thread.
  if let address = try? SocketAddress(ipAddress: endpoint.server.host, port: endpoint.server.port) {
    return bootstrap.connect(to: address)
  }
  return bootstrap.connect(host: endpoint.server.host, port: endpoint.server.port)
}

extension ClientBootstrap {
  /// Small writes leave at once, and a server that silently went away is noticed in about a minute even while a watch is
  /// quiet: no timer of ours ever ends one.
  fileprivate func withUpstreamSocketOptions() -> ClientBootstrap {
    let bootstrap = self.channelOption(.tcpOption(.tcp_nodelay), value: 1).channelOption(.socketOption(.so_keepalive), value: 1)
      // What one read of a client's brings must not by itself make the server count as slow.
      .channelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 192 * 1024))
    #if canImport(Glibc)
      return
        bootstrap
        .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: 30)
        .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 10)
        .channelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 3)
    #else
      return bootstrap
    #endif
  }
}
