import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension ServerBootstrap {
  /// Probes silent connections, so that a client that vanished under a watch is noticed in minutes and not in the two hours
  /// that are usual.
  func keepingAlive() -> ServerBootstrap {
    let bootstrap = self.childChannelOption(.socketOption(.so_keepalive), value: 1)
    #if canImport(Darwin)
      return bootstrap.childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPALIVE)), value: 60)
    #else
      return
        bootstrap
        .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: 60)
        .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 15)
        .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 4)
    #endif
  }
}
