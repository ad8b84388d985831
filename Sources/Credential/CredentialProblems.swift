import SallyportCore

extension Problem {
  static let impersonationNotPossible = Problem(
    "impersonationNotPossible", blame: .client, status: 400,
    message: "Impersonation is not possible here: the upstream is told no identity that could be impersonated from.")
  static let identityNotWritable = Problem(
    "identityNotWritable", blame: .operator, status: 403,
    message:
      "Your name, or one of your groups or attributes, cannot be passed on: it is empty or holds a control character or outer blanks.")
  static let impersonationNotWritable = Problem(
    "impersonationNotWritable", blame: .client, status: 400,
    message: "The requested user, uid, group or attribute is empty or holds a control character or outer blanks.")
  static let nameReserved = Problem(
    "nameReserved", blame: .operator, status: 403, message: "Your name, or one of your groups, is reserved and cannot be passed on.")
}
