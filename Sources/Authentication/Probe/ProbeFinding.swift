/// What a look at somebody whom the gateway depends on found, in words for an operator.
public struct ProbeFinding: Sendable, Hashable, CustomStringConvertible {
  /// Who was asked: `ldaps://ldap-1.example.org:636`, `issuer https://idp.example.org`.
  public let subject: String
  public let isGood: Bool
  /// What they said, or what is wrong and how to mend it.
  public let detail: String

  public static func good(_ subject: String, _ detail: String) -> ProbeFinding { .init(subject: subject, isGood: true, detail: detail) }
  public static func bad(_ subject: String, _ detail: String) -> ProbeFinding { .init(subject: subject, isGood: false, detail: detail) }

  public var description: String { "\(self.subject): \(self.detail)" }
}
