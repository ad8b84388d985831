/// Why a filter, a distinguished name or an attribute's name could not be read, without the text itself.
public struct LDAPSyntaxFault: Error, Sendable, Hashable {
  /// What is wrong, as the predicate of a sentence: `has no closing parenthesis`.
  public let problem: String
  /// What would be right, as an instruction.
  public let remedy: String

  init(_ problem: String, _ remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }
}
