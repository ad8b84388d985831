import NIOCore

/// The only addresses that a practice cluster may listen on.
enum Loopback {
  static func address(host: String, port: Int) throws -> SocketAddress {
    guard let address = try? SocketAddress(ipAddress: host, port: port) else { throw PracticeCluster.StartError.notLoopback(host) }
    switch address {
    case .v4:
      // The address as the system prints it, so that no other spelling of an address can be meant.
      guard address.ipAddress?.hasPrefix("127.") == true else { throw PracticeCluster.StartError.notLoopback(host) }
    case .v6:
      guard address.ipAddress == "::1" else { throw PracticeCluster.StartError.notLoopback(host) }
    case .unixDomainSocket:
      throw PracticeCluster.StartError.notLoopback(host)
    }
    return address
  }
}
