/// The two files that records go to.
public enum AuditSeries: Sendable, Hashable, CaseIterable {
  /// `requests.jsonl`: requests of somebody who was authenticated. Never dropped.
  case requests
  /// `unauthenticated.jsonl`: everything that nobody in particular asked, and connections that failed. It has a budget of
  /// the disk and forgets its oldest half when that is used up.
  case unauthenticated

  public var fileName: String {
    switch self {
    case .requests: "requests.jsonl"
    case .unauthenticated: "unauthenticated.jsonl"
    }
  }
}

/// Where the audit log is, and how much is promised of a record before an answer leaves.
public struct AuditLogConfiguration: Sendable, Hashable {
  /// When a record counts as written.
  public enum Durability: Sendable, Hashable {
    /// The kernel has it: it survives the process being killed, not the machine losing power.
    case written
    /// The disk has it (fdatasync): it survives a power cut. Answers wait for the disk, many of them for one sync.
    case synced
  }

  /// Made with mode 0750 when it is missing; the files in it get 0640.
  public var directory: String
  public var durability: Durability
  /// Bytes of the disk that `unauthenticated.jsonl` and its predecessor `unauthenticated.jsonl.1` share.
  public var unauthenticatedBudget: Int

  public init(directory: String, durability: Durability = .written, unauthenticatedBudget: Int = 64 * 1024 * 1024) {
    self.directory = directory
    self.durability = durability
    self.unauthenticatedBudget = unauthenticatedBudget
  }
}
