/// How a tunnel ended, or why the gateway cut a stream.
public struct StreamEnd: Sendable, Hashable {
  /// The raw value stands in the record.
  public enum Reason: String, Sendable, Hashable, CaseIterable {
    /// Both sides had said all, and it was passed on.
    case complete
    /// A side's connection was lost, or ended without the farewell of TLS.
    case clientLost, upstreamLost
    /// Both sides were done, but one did not take what was left for it.
    case stalled
    /// The client certificate by which the stream was admitted has expired.
    case certificateExpired
    /// The client certificate, or an authority above it, was revoked.
    case certificateRevoked
    /// Whether it was revoked cannot be told any more: the revocation list is out of date or gone.
    case revocationUnknown
    /// Another credential by which it was admitted has expired.
    case credentialExpired
    /// The session that it was admitted by was signed out, was idle for too long, or is over.
    case sessionEnded
    /// It lasted as long as a stream may.
    case maximumAge
    // A reload would not let the stream in any more:
    /// its user is gone from the password file, or disabled,
    case userRemoved
    /// the credential that it was admitted by is another now,
    case credentialChanged
    /// the user's name, groups or other attributes are,
    case identityChanged
    /// the route takes no such credential any more, or is not open to everybody,
    case credentialNotAccepted
    /// the authority of the client certificate is trusted no longer,
    case certificateDistrusted
    /// a policy denies the request,
    case policyDenies
    /// the route is gone, or leads the request to another upstream,
    case routeRemoved
    /// the listener is gone.
    case listenerRemoved
    /// The gateway shuts down, and its grace is over.
    case shutdown
  }

  public var reason: Reason
  /// How long the request lasted, in nanoseconds.
  public var nanoseconds: Int64

  public init(_ reason: Reason, nanoseconds: Int64) {
    self.reason = reason
    self.nanoseconds = nanoseconds
  }
}
