public import SallyportCore

/// What goes wrong at the door.
public enum ListenerProblem {
  // What an operator has to mend before the listener starts.
  public static let fileUnreadable = startup("tlsFileUnreadable", "A file of the listener's TLS settings cannot be read.")
  public static let certificateUnusable = startup("tlsCertificateUnusable", "The listener's certificate cannot be used.")
  public static let keyUnusable = startup("tlsKeyUnusable", "The listener's private key cannot be used.")
  public static let keyMismatch = startup("tlsKeyMismatch", "The listener's private key does not belong to its certificate.")
  public static let clientCAUnusable = startup("tlsClientCAUnusable", "The listener's client CA file cannot be used.")
  public static let addressInUse = startup("addressInUse", "The listener's address is in use.")
  public static let addressUnusable = startup("addressUnusable", "The listener cannot listen on its address.")
  public static let addressRangeUnreadable = startup("addressRangeUnreadable", "An address range cannot be read.")

  // Connections that ended before they carried a request.
  public static let tlsHandshakeFailed = connection("tlsHandshakeFailed", "The TLS handshake failed.")
  public static let tlsHandshakeTimedOut = connection("tlsHandshakeTimedOut", "The TLS handshake took too long.")
  public static let plaintextOnTLSPort = connection("plaintextOnTLSPort", "The client spoke no TLS on a TLS port.")
  public static let proxyHeaderMissing = connection("proxyHeaderMissing", "A trusted peer began without a PROXY header.")
  public static let proxyHeaderMalformed = connection("proxyHeaderMalformed", "The PROXY header cannot be read.")
  public static let proxyHeaderTimedOut = connection("proxyHeaderTimedOut", "The PROXY header took too long.")
  public static let proxyHeaderNotAllowed = connection(
    "proxyHeaderNotAllowed", "A peer that no list allows it began with a PROXY header.")
  public static let requestHeadTimedOut = connection("requestHeadTimedOut", "The request's head took too long.")
  public static let http2Malformed = connection("http2Malformed", "The HTTP/2 connection broke the rules of the protocol.")
  public static let http2Flood = connection("http2Flood", "The HTTP/2 connection cost more than its requests.", status: 429)
  public static let tooManyConnections = connection("tooManyConnections", "The listener has too many connections.", status: 429)
  public static let tooManyConnectionsFromAddress = connection(
    "tooManyConnectionsFromAddress", "The client's address has too many connections.", status: 429)

  // Client certificates that were presented and are not believed. The handshake fails, also where another credential
  // would have come: a bad credential is not overlooked in favour of another.
  public static let certificateExpired = credential("clientCertificateExpired", "The client certificate has expired.")
  public static let certificateNotYetValid = credential("clientCertificateNotYetValid", "The client certificate is not valid yet.")
  public static let certificateUnknownIssuer = credential(
    "clientCertificateUnknownIssuer", "The client certificate comes from an unknown authority.")
  public static let certificateWrongPurpose = credential(
    "clientCertificateWrongPurpose", "The client certificate is not made for client authentication.")
  public static let certificateIsAuthority = credential(
    "clientCertificateIsAuthority", "The client certificate is that of a certificate authority.")
  public static let certificateWeak = credential(
    "clientCertificateWeak", "The client certificate has a weak key or a weak signature.")
  public static let certificateUnreadable = credential("clientCertificateUnreadable", "The client certificate cannot be read.")
  public static let certificateRefused = credential("clientCertificateRefused", "The client certificate does not verify.")
  /// A session was resumed whose certificate was not verified under the trust that holds now.
  public static let certificateNotFresh = credential(
    "clientCertificateNotFresh", "The resumed session's client certificate was not verified under the present trust.")

  private static func startup(_ code: String, _ message: String) -> Problem {
    Problem(code, blame: .operator, status: 500, message: message)
  }

  private static func connection(_ code: String, _ message: String, status: Int = 400) -> Problem {
    Problem(code, blame: .client, status: status, message: message)
  }

  private static func credential(_ code: String, _ message: String) -> Problem {
    Problem(code, blame: .client, status: 401, message: message)
  }
}
