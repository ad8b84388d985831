public import SallyportCore

/// Why a client got no token, in the words of RFC 6749 section 5.2 and RFC 8693 section 2.2.2.
public struct TokenError: Error, Sendable, Equatable {
  /// `error` in the answer.
  public enum Code: String, Sendable, CaseIterable {
    case invalidRequest = "invalid_request"
    case invalidClient = "invalid_client"
    case unsupportedGrantType = "unsupported_grant_type"
    case invalidScope = "invalid_scope"
    /// An audience that the client may have no token for.
    case invalidTarget = "invalid_target"
    /// Not of those sections: too many failures, or somebody who must be asked is away.
    case temporarilyUnavailable = "temporarily_unavailable"
    case serverError = "server_error"
  }

  public let code: Code
  /// What the audit record says, and the status and the message that the client gets.
  public let problem: Problem

  public init(_ code: Code, status: Int = 400, _ message: String, detail: String = "", retryAfterSeconds: Int? = nil) {
    self.code = code
    self.problem = Problem(
      Self.name(of: code), blame: code == .serverError ? .ourselves : .client, status: status, message: message, detail: detail,
      retryAfterSeconds: retryAfterSeconds)
  }

  /// What a station found wrong with a credential: its words and its status go on where waiting helps.
  ///
  /// - Parameter code: what it means where the credential itself is bad
  public init(_ problem: Problem, as code: Code, status: Int) {
    switch problem.status {
    case 429, 503: self.code = .temporarilyUnavailable
    case 500: self.code = .serverError
    default: self.code = code
    }
    self.problem = Problem(
      problem.code, blame: problem.blame, status: self.code == code ? status : problem.status, message: problem.message,
      detail: problem.detail, retryAfterSeconds: problem.retryAfterSeconds)
  }

  private static func name(of code: Code) -> String {
    switch code {
    case .invalidRequest: "tokenRequestInvalid"
    case .invalidClient: "tokenClientInvalid"
    case .unsupportedGrantType: "tokenGrantUnsupported"
    case .invalidScope: "tokenScopeInvalid"
    case .invalidTarget: "tokenTargetInvalid"
    case .temporarilyUnavailable: "tokenTemporarilyUnavailable"
    case .serverError: "tokenServerError"
    }
  }
}
