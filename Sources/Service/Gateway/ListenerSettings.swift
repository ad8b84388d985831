import NIOCore
import SallyportConfiguration
import SallyportCore
import SallyportListener
import SallyportWire

extension GatewayConfiguration.Listener {
  /// What the listener station needs to know.
  func settings() throws(Problem) -> ListenerConfiguration {
    var peers: [SallyportListener.AddressRange] = []
    for range in self.clientAddress.trustedPeers { peers.append(try SallyportListener.AddressRange(range.description)) }
    return ListenerConfiguration(
      name: self.name, host: self.address.host, port: self.address.port,
      tls: ServerTLSConfiguration(
        certificateFile: self.tls.certificateFile.path, privateKeyFile: self.tls.privateKeyFile.path,
        clientCAFile: self.tls.clientCAFile?.path, minimumVersion: self.tls.minimumVersion == .tls13 ? .tls13 : .tls12,
        offersHTTP2: self.http2),
      trustedPeers: peers, expectsProxyHeader: self.clientAddress.proxyProtocol,
      messages: MessageLimits(headBytes: self.limits.headBytes, fieldCount: self.limits.fieldCount),
      connections: ConnectionLimits(
        total: self.limits.connections, perAddress: self.limits.connectionsPerAddress,
        streamsPerConnection: self.limits.streamsPerConnection),
      timeouts: ListenerTimeouts(
        handshake: TimeAmount(self.limits.handshakeTimeout), head: TimeAmount(self.limits.headTimeout),
        idle: TimeAmount(self.limits.idleTimeout), body: TimeAmount(self.limits.bodyTimeout)))
  }
}

extension GatewayConfiguration.Admin {
  /// The admin listener's name: brackets stand in no name of the configuration.
  static let listenerName = "(admin)"

  /// Plain HTTP, for a few probes and scrapes at a time.
  var settings: ListenerConfiguration {
    ListenerConfiguration(
      name: Self.listenerName, host: self.address.host, port: self.address.port, tls: nil,
      messages: MessageLimits(headBytes: 16 * 1024, fieldCount: 128), connections: ConnectionLimits(total: 256, perAddress: 128),
      timeouts: ListenerTimeouts(writeStall: .seconds(30)))
  }
}

extension SocketAddress {
  /// As in the configuration: `127.0.0.1:8443`, `[::1]:8443`.
  var hostAndPort: String {
    let host = self.ipAddress ?? "?"
    return "\(host.contains(":") ? "[\(host)]" : host):\(self.port ?? 0)"
  }
}
