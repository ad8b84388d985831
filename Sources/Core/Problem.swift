/// Why a request, or a part of the gateway, did not get what it wanted.
///
/// Each module names its problems as constants over this one shape. Two problems are equal when their codes are: the
/// detail is for reading, not for deciding.
public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
  /// Who can mend it.
  public enum Blame: String, Sendable {
    case client, identityProvider, upstream, `operator`, ourselves
  }

  /// A constant short name in camelCase, fit for a metric's label.
  public let code: String
  public let blame: Blame
  /// The HTTP status that answers the request.
  public let status: Int
  /// A sentence that the client may read: it names no part of a credential and nothing inside the cluster.
  public let message: String
  /// What the operator's log and the audit record get to read; never a secret.
  public var detail: String
  /// How many seconds the client should wait before it asks again (`Retry-After`, RFC 9110 section 10.2.3); `nil` where
  /// waiting does not help or nobody knows how long.
  public var retryAfterSeconds: Int?

  public init(_ code: String, blame: Blame, status: Int, message: String, detail: String = "", retryAfterSeconds: Int? = nil) {
    self.code = code
    self.blame = blame
    self.status = status
    self.message = message
    self.detail = detail
    self.retryAfterSeconds = retryAfterSeconds
  }

  /// The same problem with what happened this time.
  public func with(detail: String) -> Problem {
    var copy = self
    copy.detail = detail
    return copy
  }

  public var description: String { self.detail.isEmpty ? "\(self.code): \(self.message)" : "\(self.code): \(self.detail)" }

  public static func == (left: Problem, right: Problem) -> Bool { left.code == right.code }
}
