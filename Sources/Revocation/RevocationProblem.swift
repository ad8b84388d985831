public import SallyportCore

/// What goes wrong with revocation lists, and what they say against a certificate.
public enum RevocationProblem {
  // For the operator, when lists are loaded.
  public static let fileUnreadable = load("revocationFileUnreadable", "A revocation list's file cannot be read.")
  public static let listUnusable = load("revocationListUnusable", "A revocation list cannot be used.")
  public static let listUnverified = load("revocationListUnverified", "A revocation list was not signed by its authority.")
  /// A list that is older than the one that it would replace.
  public static let listOlder = load("revocationListOlder", "A revocation list is older than the one in force.")

  // For a request. The certificate stays refused until it is replaced, or the operator replaces the list.
  public static let certificateRevoked = Problem(
    "clientCertificateRevoked", blame: .client, status: 401, message: "The client certificate was revoked.")
  public static let listStale = refusal(
    "revocationListStale", "The client certificate is not accepted: the revocation list of its authority is out of date.")
  public static let listEarly = refusal(
    "revocationListNotYetValid", "The client certificate is not accepted: the revocation list of its authority is not valid yet.")
  public static let listMissing = refusal(
    "revocationListMissing", "The client certificate is not accepted: there is no revocation list of its authority.")

  private static func load(_ code: String, _ message: String) -> Problem {
    Problem(code, blame: .operator, status: 500, message: message)
  }

  /// 401 and not 503: as long as nobody can say whether the certificate is good it proves nothing, and another credential
  /// may.
  private static func refusal(_ code: String, _ message: String) -> Problem {
    Problem(code, blame: .operator, status: 401, message: message)
  }
}

/// Everything that is wrong with the revocation lists of a configuration.
public struct RevocationFaults: Error, Sendable, CustomStringConvertible {
  public let problems: [Problem]

  public var description: String { self.problems.map(\.description).joined(separator: "\n") }
}
