public import SallyportCore

/// What is known of a request's sender after authentication.
public enum AuthenticationOutcome: Sendable {
  case identified(Identity)
  /// The request carries no credential of a kind that its route accepts, and no `Authorization` field.
  case nothingPresented
  /// Something was presented and is no good: 401, or 429 and 503 with `retryAfterSeconds`.
  case refused(Problem)
}

/// The kinds of credential that a route accepts.
public struct AcceptedMethods: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let clientCertificate = Self(rawValue: 1 << 0)
  /// `Authorization: Basic` against the password files.
  public static let password = Self(rawValue: 1 << 1)
  /// `Authorization: Bearer` with a token of a configured issuer.
  public static let token = Self(rawValue: 1 << 2)
  /// The cookie of a browser that signed in.
  public static let session = Self(rawValue: 1 << 3)
}
