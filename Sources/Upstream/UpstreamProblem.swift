public import SallyportCore

/// Why a request got no answer, or only a part of one, from its upstream.
///
/// What the client reads names no server, no address and no certificate; the detail, for the operator's log and the audit
/// record, names them all.
extension Problem {
  /// No server could be connected to. The request reached none, so the client may send it again.
  public static let upstreamUnreachable = Problem(
    "upstreamUnreachable", blame: .upstream, status: 503, message: "The upstream server cannot be reached at the moment.")

  /// A server took too long: to be connected to, or to answer.
  public static let upstreamTimeout = Problem(
    "upstreamTimeout", blame: .upstream, status: 504, message: "The upstream server did not answer in time.")

  /// A server is not who the configuration says it must be, or does not believe who we are.
  public static let upstreamTLS = Problem(
    "upstreamTLS", blame: .operator, status: 502,
    message: "A secure connection to the upstream server could not be made; the gateway's operator has the details.")

  /// The answer cannot be read, or could be read in two ways.
  public static let upstreamMalformed = Problem(
    "upstreamMalformed", blame: .upstream, status: 502, message: "The upstream server's answer could not be understood.")

  /// All connections are in use, and as many requests wait as may.
  public static let upstreamBusy = Problem(
    "upstreamBusy", blame: .upstream, status: 503, message: "The upstream server is busy; try again in a moment.")

  /// The connection ended before the answer did. The request may have been carried out.
  public static let upstreamConnectionLost = Problem(
    "upstreamConnectionLost", blame: .upstream, status: 502,
    message: "The connection to the upstream server was lost before its answer was complete; the request may have been carried out.")

  /// The upstream cannot be set up as it is configured; the detail names the file or the setting, and the cure.
  public static let upstreamConfiguration = Problem(
    "upstreamConfiguration", blame: .operator, status: 500, message: "The gateway is not configured correctly for this upstream.")

  /// A request came in a shape that cannot be sent: a fault of this program, which is why nothing was sent.
  public static let upstreamRequestUnfit = Problem(
    "upstreamRequestUnfit", blame: .ourselves, status: 500, message: "The request could not be sent to the upstream server.")
}
