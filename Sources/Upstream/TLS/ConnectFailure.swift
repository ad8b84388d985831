import NIOCore
import NIOPosix
import NIOSSL
import SallyportCore

/// Says why a connection could not be made, in words that an operator can act on.
struct ConnectFailure {
  let server: UpstreamConfiguration.Server
  let rootsFile: String?
  let serverName: String?

  func problem(_ error: any Error) -> Problem {
    switch error {
    case let problem as Problem: problem
    case ChannelError.connectTimeout: Problem.upstreamTimeout.with(detail: "\(self.server): no connection in time (TCP and TLS)")
    case let error as NIOConnectionError: self.unreachable(error)
    case let error as NIOSSLError: self.handshake(error)
    case let error as BoringSSLError: self.tls("\(error)")
    case let error as NIOSSLExtraError: self.name(error)
    default: Problem.upstreamUnreachable.with(detail: "\(self.server): \(error)")
    }
  }

  /// TLS ended well, yet the server's certificate does not hold the name as a `dNSName`.
  var wrongName: Problem {
    Problem.upstreamTLS.with(
      detail: "\(self.server): the server's certificate does not hold the DNS name \(self.serverName ?? self.server.host); "
        + "set the upstream's serverName to a name that it holds, or have one issued with this name")
  }

  func unspokenProtocol(_ name: String) -> Problem {
    Problem.upstreamTLS.with(detail: "\(self.server): the server insists on the protocol \(name.debugDescription), not HTTP/1.1")
  }

  private func unreachable(_ error: NIOConnectionError) -> Problem {
    if let cause = error.connectionErrors.first?.error {
      if case ChannelError.connectTimeout = cause { return self.problem(cause) }
      return Problem.upstreamUnreachable.with(detail: "\(self.server): \(cause)")
    }
    let cause = error.dnsAError ?? error.dnsAAAAError
    return Problem.upstreamUnreachable.with(
      detail: "\(self.server): the host name cannot be resolved" + (cause.map { " (\($0))" } ?? ""))
  }

  private func name(_ error: NIOSSLExtraError) -> Problem {
    guard error == .failedToValidateHostname else { return self.tls("\(error)") }
    if self.serverName == nil, (try? SocketAddress(ipAddress: self.server.host, port: 0)) != nil {
      return Problem.upstreamTLS.with(
        detail: "\(self.server): the server's certificate does not hold its IP address; set the upstream's serverName to a name "
          + "that it holds, or have one issued with this address")
    }
    return self.wrongName
  }

  private func handshake(_ error: NIOSSLError) -> Problem {
    guard case .handshakeFailed(let cause) = error else { return self.tls("\(error)") }
    return self.tls("\(cause)")
  }

  /// The library hands out OpenSSL's reasons as text only.
  private func tls(_ reason: String) -> Problem {
    let explanation: String
    if reason.contains("CERTIFICATE_VERIFY_FAILED") {
      let roots = self.rootsFile.map { "the roots in \($0)" } ?? "the system's roots"
      explanation =
        "the server's certificate does not lead to \(roots), or is not valid now; put the CA that issued it into the upstream's caFile"
    } else if reason.contains("WRONG_VERSION_NUMBER") || reason.contains("HTTP_REQUEST") {
      explanation = "the server does not speak TLS on this port; should its URL begin with http://?"
    } else if reason.contains("ALERT") {
      explanation = "the server refused the handshake; does it trust the CA of our client certificate, and is that still valid?"
    } else if reason.contains("EOF during handshake") {
      explanation = "the server hung up during the TLS handshake"
    } else {
      explanation = "TLS failed"
    }
    return Problem.upstreamTLS.with(detail: "\(self.server): \(explanation) (\(reason))")
  }
}
