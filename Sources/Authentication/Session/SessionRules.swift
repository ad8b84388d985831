public import SallyportSessions

/// How people sign in with a browser, and how long that holds.
public struct SessionRules: Sendable, Hashable {
  public var limits: SessionLimits
  /// How old the answer to who somebody is may become before their store is asked again.
  public var refresh: Duration
  /// Whether a user name and a password begin a session.
  public var takesPasswords: Bool
  /// Whether a client certificate does.
  public var takesCertificates: Bool

  /// The longest that somebody stays signed in whose store cannot be asked again without the password.
  static let longestWithoutRefresh = Duration.seconds(3600)

  public init(limits: SessionLimits, refresh: Duration, takesPasswords: Bool, takesCertificates: Bool) {
    self.limits = limits
    self.refresh = refresh
    self.takesPasswords = takesPasswords
    self.takesCertificates = takesCertificates
  }
}
