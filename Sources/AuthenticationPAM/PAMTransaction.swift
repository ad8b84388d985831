import CPAM
import Glibc
import SallyportAuthentication
import SallyportCore

/// One conversation with PAM about one user; `pam_end` follows in every case.
///
/// pam(3) promises that libpam may be used by several threads as long as each has its own handle; modules are somebody
/// else's, which is why there are few threads.
struct PAMTransaction {
  /// What a step says; the reasons are for the operator.
  enum Answer: Sendable, Hashable {
    case good, unknown
    case refused(String)
    case unavailable(String)
  }

  private let handle: OpaquePointer
  private let conversation: PasswordConversation
  private let configuration: PAMConfiguration

  /// Begins a conversation, runs a body with it and ends it.
  ///
  /// - Parameters:
  ///   - password: what a question without echo is answered with; `nil`: nothing is answered
  ///   - address: where the client is, for modules that judge it
  static func with<Result>(
    _ configuration: PAMConfiguration, user: String, password: Secret?, address: String, _ body: (PAMTransaction) -> Result,
    failure: (String) -> Result
  ) -> Result {
    let conversation = PasswordConversation(password)
    var handle: OpaquePointer?
    return withExtendedLifetime(conversation) {
      var callback = pam_conv(conv: PasswordConversation.answer, appdata_ptr: Unmanaged.passUnretained(conversation).toOpaque())
      let started =
        if let directory = configuration.serviceDirectory {
          pam_start_confdir(configuration.service, user, &callback, directory, &handle)
        } else {
          pam_start(configuration.service, user, &callback, &handle)
        }
      guard started == PAM_SUCCESS, let handle else { return failure("PAM could not be started (code \(started))") }
      let transaction = PAMTransaction(handle: handle, conversation: conversation, configuration: configuration)
      guard transaction.setItems(address) else {
        pam_end(handle, PAM_SYSTEM_ERR)
        return failure("PAM did not take the client's address")
      }
      let result = body(transaction)
      pam_end(handle, PAM_SUCCESS)
      return result
    }
  }

  private func setItems(_ address: String) -> Bool {
    // Modules ask for a wait after a failure; ours are held back without a thread.
    let noDelay: @convention(c) (Int32, UInt32, UnsafeMutableRawPointer?) -> Void = { _, _, _ in }
    guard pam_set_item(self.handle, PAM_FAIL_DELAY, unsafeBitCast(noDelay, to: UnsafeRawPointer.self)) == PAM_SUCCESS,
      pam_set_item(self.handle, PAM_TTY, "sallyport") == PAM_SUCCESS
    else { return false }
    return address.isEmpty || pam_set_item(self.handle, PAM_RHOST, address) == PAM_SUCCESS
  }

  // MARK: Steps

  /// Nothing is shown to anybody, and an empty password is none.
  private static let flags = Int32(bitPattern: UInt32(PAM_SILENT) | UInt32(PAM_DISALLOW_NULL_AUTHTOK))

  func authenticate() -> Answer {
    let code = pam_authenticate(self.handle, Self.flags)
    if code != PAM_SUCCESS, self.conversation.wasAskedForMore {
      return .unavailable("the PAM service asks for more than a password (code \(code))")
    }
    return switch code {
    case PAM_SUCCESS: .good
    case PAM_USER_UNKNOWN: .unknown
    case PAM_AUTH_ERR: .refused("PAM: wrong password")
    case PAM_MAXTRIES: .refused("PAM: too many attempts, says a module")
    case PAM_PERM_DENIED: .refused("PAM: the user is not admitted, or locked")
    default: self.accountAnswer(code, "authentication")
    }
  }

  func judgeAccount() -> Answer {
    let code = pam_acct_mgmt(self.handle, Self.flags)
    return switch code {
    case PAM_SUCCESS: .good
    case PAM_USER_UNKNOWN: .unknown
    case PAM_AUTH_ERR: .refused("PAM: the account is not admitted")
    case PAM_PERM_DENIED: .refused("PAM: the account is locked, or may not sign in now or from here")
    default: self.accountAnswer(code, "account")
    }
  }

  private func accountAnswer(_ code: Int32, _ step: String) -> Answer {
    switch code {
    case PAM_ACCT_EXPIRED: .refused("PAM: the account has expired")
    case PAM_NEW_AUTHTOK_REQD, PAM_AUTHTOK_EXPIRED: .refused("PAM: the password has expired and must be changed")
    case PAM_CRED_EXPIRED: .refused("PAM: the credentials have expired")
    case PAM_CRED_INSUFFICIENT: .unavailable("PAM \(step): this process may not read what a module needs")
    default: .unavailable("PAM \(step): \(pam_strerror(self.handle, code).map { String(cString: $0) } ?? "code \(code)")")
    }
  }

  // MARK: Who it is

  /// The user as PAM calls them now: modules may map the name that was typed to another.
  func storedUser(typed: String) -> StoredUser? {
    var item: UnsafeRawPointer?
    guard pam_get_item(self.handle, PAM_USER, &item) == PAM_SUCCESS, let item,
      let name = String(validatingCString: item.assumingMemoryBound(to: CChar.self))
    else { return nil }
    var groups: [String] = []
    if self.configuration.groups == .system {
      guard let names = SystemGroups.names(of: name) else { return nil }
      groups = names
    }
    return StoredUser(
      username: name, groups: groups, origin: [.init("service", self.configuration.service)],
      reference: .init(account: name, typedName: typed))
  }
}
