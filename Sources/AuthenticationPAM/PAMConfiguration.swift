/// How passwords are verified by PAM.
public struct PAMConfiguration: Sendable, Hashable {
  public enum Groups: Sendable, Hashable {
    /// As `id` shows them: the name service's, with the user's primary group.
    case system
    case none
  }

  /// The name of a file in the directory of services, `/etc/pam.d`.
  public var service: String
  /// Where the service's file is; `nil` for libpam's own places.
  public var serviceDirectory: String?
  public var groups: Groups
  /// How many passwords are verified at a time, and how many may wait. Modules may take seconds, and not all are written
  /// for many threads.
  public var threads: Int
  public var waiting: Int
  /// How long an answer is waited for, the queue included. A module that takes longer keeps its thread; nobody waits for it any more.
  public var timeout: Duration

  public init(
    service: String, serviceDirectory: String? = nil, groups: Groups, threads: Int = 2, waiting: Int = 64, timeout: Duration = .seconds(30)
  ) {
    self.service = service
    self.serviceDirectory = serviceDirectory
    self.groups = groups
    self.threads = threads
    self.waiting = waiting
    self.timeout = timeout
  }
}
