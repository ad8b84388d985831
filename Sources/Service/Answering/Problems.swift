import SallyportAudit
import SallyportCore
import SallyportTunnel
import SallyportWire

/// What can go wrong where the stations are joined.
extension Problem {
  static let misdirected = Problem(
    "misdirected", blame: .client, status: 421, message: "This host is not served on this connection.")
  static let noRoute = Problem("noRoute", blame: .client, status: 404, message: "No route of this gateway serves the path.")
  static let ownPathUnknown = Problem(
    "ownPathUnknown", blame: .client, status: 404, message: "The gateway has nothing at this path.")
  static let credentialsMissing = Problem(
    "credentialsMissing", blame: .client, status: 401,
    message: "Unauthorized: present a client certificate, a user name and password, or a token.")
  static let authenticationFailed = Problem(
    "authenticationFailed", blame: .ourselves, status: 503, message: "The credential could not be checked. Try again.")
  static let auditUnavailable = Problem(
    "auditUnavailable", blame: .operator, status: 503,
    message: "The gateway cannot write its audit log, so it serves no request. Try again later.")
  static let upstreamAnsweredTwice = Problem(
    "upstreamAnsweredTwice", blame: .upstream, status: 502, message: "The upstream's answer could not be read.",
    detail: "the upstream sent a second response head for one request")
  static let connectRefused = Problem(
    "methodNotServed", blame: .client, status: 405, message: "CONNECT and TRACE are not served here.")
  static let shuttingDown = Problem(
    "shuttingDown", blame: .ourselves, status: 503, message: "The gateway is shutting down. Try again.")

  static func streamCut(_ reason: StreamEnd.Reason) -> Problem {
    Problem("streamCut", blame: .client, status: 503, message: "The gateway has ended this stream.", detail: reason.rawValue)
  }

  static func tunnelBroken(_ ending: TunnelStateMachine.Ending, _ failure: TunnelFailure) -> Problem {
    Problem(
      "tunnelBroken", blame: ending == .broken(.upstream) ? .upstream : .client, status: 502, message: "The tunnel broke.",
      detail: failure.description)
  }

  static func denied(_ message: String) -> Problem {
    Problem("denied", blame: .client, status: 403, message: message)
  }

  static func clientGone(_ reason: ClientGone) -> Problem {
    let detail =
      switch reason {
      case .closed: "the client closed the connection before the answer was complete"
      case .malformed(let malformed): "the rest of the request could not be read. \(malformed.reason)"
      case .timedOut: "the client was too slow"
      }
    // No status of RFC 9110 fits an answer that nobody read; 499 is what reviewers know from other proxies' logs.
    return Problem("clientGone", blame: .client, status: 499, message: "The client is gone.", detail: detail)
  }

  /// A message that could not be read one way only.
  init(_ malformed: MalformedMessage) {
    self.init("malformedRequest", blame: .client, status: malformed.status, message: "The request is refused. \(malformed.reason)")
  }
}
