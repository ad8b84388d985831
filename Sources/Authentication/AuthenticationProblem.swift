import SallyportCore

/// Why a request was not told who it is.
///
/// What the client reads is the same for every credential that is no good: an unknown user, a wrong password and a
/// disabled user cannot be told apart. The detail, for the operator alone, says which it was.
enum AuthenticationProblem {
  /// What was presented proves nobody.
  static let credentialsRefused = Problem(
    "credentialsRefused", blame: .client, status: 401, message: "The credentials were not accepted.")

  /// The token proves nobody.
  static let tokenRefused = Problem("tokenRefused", blame: .client, status: 401, message: "The token was not accepted.")

  /// The token is good, and not for what it is presented to.
  static let insufficientScope = Problem(
    "insufficientScope", blame: .client, status: 403, message: "The credential is not one that this route is for.")

  /// The token may be good, and who could say so cannot be asked.
  static let identityProviderUnavailable = Problem(
    "identityProviderUnavailable", blame: .identityProvider, status: 503,
    message: "The token cannot be verified at the moment; try again.", retryAfterSeconds: 5)

  /// The client certificate is outside its validity, judged for this request.
  static let certificateExpired = Problem(
    "certificateExpired", blame: .client, status: 401, message: "The client certificate is not valid at this time.")

  /// Two good credentials that name different users.
  static let credentialsDisagree = Problem(
    "credentialsDisagree", blame: .client, status: 401,
    message: "The client certificate, the Authorization header and the session name different users; present one of them.")

  /// The session is none, or none any more.
  static let sessionOver = Problem(
    "sessionOver", blame: .client, status: 401, message: "The session has ended; sign in again.")

  /// Where sessions are kept cannot be asked. Nobody is let in for it.
  static let sessionsUnavailable = Problem(
    "sessionsUnavailable", blame: .operator, status: 503, message: "Sessions cannot be looked up at the moment; try again.",
    retryAfterSeconds: 2)

  /// As many people are signed in as may be.
  static let tooManySessions = Problem(
    "tooManySessions", blame: .operator, status: 503, message: "Too many people are signed in at the moment; try again later.",
    retryAfterSeconds: 60)

  /// Nobody signs in like this here.
  static let signInNotServed = Problem(
    "signInNotServed", blame: .client, status: 404, message: "Nobody signs in like this here.")

  /// The connection shows no certificate that could sign anybody in.
  static let certificateMissing = Problem(
    "certificateMissing", blame: .client, status: 401, message: "The browser showed no client certificate.")

  /// The provider that a browser came back from vouches for nobody.
  static let providerRefused = Problem(
    "providerRefused", blame: .client, status: 401, message: "The identity provider's answer was not accepted.")

  /// The provider cannot be asked, or does not know the gateway. Nobody is signed in for it.
  static let providerUnavailable = Problem(
    "providerUnavailable", blame: .identityProvider, status: 503,
    message: "The identity provider cannot be asked at the moment; try again.", retryAfterSeconds: 2)

  /// What came as a provider's message that somebody has signed out is none, or nothing could be ended.
  static let logoutRefused = Problem(
    "logoutRefused", blame: .identityProvider, status: 400, message: "The logout token was not accepted.")

  /// Too many failed attempts; always with a time to wait.
  static let credentialsThrottled = Problem(
    "credentialsThrottled", blame: .client, status: 429, message: "Too many failed attempts to sign in; try again later.")

  /// More verifications are waiting than the gateway lets wait.
  static let authenticationBusy = Problem(
    "authenticationBusy", blame: .ourselves, status: 503, message: "The gateway is busy verifying passwords; try again.",
    retryAfterSeconds: 1)

  /// A store that might know the user cannot be asked. Nobody is let in for it, and nothing is counted.
  static let passwordStoreUnavailable = Problem(
    "passwordStoreUnavailable", blame: .identityProvider, status: 503,
    message: "The password cannot be verified at the moment; try again.", retryAfterSeconds: 2)
}
