import SallyportCore

/// Why a request was not told who it is.
///
/// What the client reads is the same for every credential that is no good: an unknown user, a wrong password and a
/// disabled user cannot be told apart. The detail, for the operator alone, says which it was.
enum AuthenticationProblem {
  /// What was presented proves nobody.
  static let credentialsRefused = Problem(
    "credentialsRefused", blame: .client, status: 401, message: "The credentials were not accepted.")

  /// The client certificate is outside its validity, judged for this request.
  static let certificateExpired = Problem(
    "certificateExpired", blame: .client, status: 401, message: "The client certificate is not valid at this time.")

  /// Two good credentials that name different users.
  static let credentialsDisagree = Problem(
    "credentialsDisagree", blame: .client, status: 401,
    message: "The client certificate and the Authorization header name different users; present one of them.")

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
