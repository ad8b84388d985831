import CLDAP

/// What a server's answer to a user's bind says about the user.
///
/// The reasons are for the log and the audit record. The client reads the same for all refusals.
enum BindJudgement: Sendable, Hashable {
  case good
  case refused(String)
  case unavailable(String)

  init(_ answer: BindAnswer) {
    switch answer.code {
    case LDAP_SUCCESS:
      // The password is right, and the server lets it do nothing but change itself.
      self = answer.policyError == Int32(bitPattern: PP_changeAfterReset.rawValue) ? .refused("the password must be changed") : .good
    case LDAP_INVALID_CREDENTIALS:
      self = .refused(Self.policyReason(answer.policyError) ?? Self.activeDirectoryReason(answer.diagnostic) ?? "wrong password")
    // 389 Directory Server says so of an account with too many failures.
    case LDAP_CONSTRAINT_VIOLATION: self = .refused(Self.policyReason(answer.policyError) ?? "the directory has locked the account")
    case LDAP_INAPPROPRIATE_AUTH: self = .refused("the entry has no password")
    case LDAP_NO_SUCH_OBJECT, LDAP_INVALID_DN_SYNTAX: self = .refused("the directory has no such entry")
    // Not told from a disabled account by all servers. One that is unwilling as a whole refuses the search before, too.
    case LDAP_UNWILLING_TO_PERFORM, LDAP_INSUFFICIENT_ACCESS:
      self = .refused(Self.policyReason(answer.policyError) ?? "the directory does not admit the account (code \(answer.code))")
    default: self = .unavailable("the bind was answered with code \(answer.code)")
    }
  }

  /// draft-behera-ldap-password-policy section 6.2.
  private static func policyReason(_ error: Int32?) -> String? {
    guard let error else { return nil }
    switch LDAPPasswordPolicyError(rawValue: UInt32(bitPattern: error)) {
    case PP_passwordExpired: return "the password has expired"
    case PP_accountLocked: return "the directory has locked the account"
    case PP_changeAfterReset: return "the password must be changed"
    default: return nil
    }
  }

  /// Active Directory's sub-codes: `… AcceptSecurityContext error, data 533, v4563`.
  private static func activeDirectoryReason(_ diagnostic: String) -> String? {
    guard diagnostic.contains("LdapErr"), let match = diagnostic.firstMatch(of: #/, data ([0-9a-fA-F]+)/#) else { return nil }
    switch match.1.lowercased() {
    case "525": return "the directory has no such user"
    case "530", "531": return "the account may not sign in now or from here"
    case "532": return "the password has expired"
    case "533": return "the account is disabled"
    case "701": return "the account has expired"
    case "773": return "the password must be changed"
    case "775": return "the directory has locked the account"
    default: return nil
    }
  }
}
