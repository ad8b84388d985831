/// The two files that records go to.
public enum AuditSeries: String, Sendable, Hashable, CaseIterable {
  /// `requests.jsonl`: requests of somebody who was authenticated. Never dropped.
  case requests
  /// `unauthenticated.jsonl`: everything that nobody in particular asked, and connections that failed. It has a budget of
  /// the disk and forgets its oldest half when that is used up.
  case unauthenticated

  /// The file that is written to.
  public var fileName: String { "\(self.rawValue).jsonl" }
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
  /// How the files of `requests` are closed and kept.
  public var rotation: LogRotation
  /// Bytes of the disk that all files of `unauthenticated` share.
  public var unauthenticatedBudget: Int
  /// The Ed25519 key that signs the log, PKCS #8 in PEM; made with mode 0600 where it is missing. `nil`: `checkpoint.key` in
  /// the directory.
  public var checkpointKeyFile: String?
  /// Whether every record is also printed on the standard output.
  public var printsRecords: Bool

  public init(
    directory: String, durability: Durability = .written, rotation: LogRotation = LogRotation(),
    unauthenticatedBudget: Int = 64 * 1024 * 1024, checkpointKeyFile: String? = nil, printsRecords: Bool = false
  ) {
    self.directory = directory
    self.durability = durability
    self.rotation = rotation
    self.unauthenticatedBudget = unauthenticatedBudget
    self.checkpointKeyFile = checkpointKeyFile
    self.printsRecords = printsRecords
  }

  func rotation(of series: AuditSeries) -> LogRotation {
    switch series {
    case .requests: self.rotation
    // A quarter at a time, so that what is removed at once is not most of what there is.
    case .unauthenticated:
      LogRotation(
        size: max(1, self.unauthenticatedBudget / 4), totalSize: self.unauthenticatedBudget, compresses: self.rotation.compresses)
    }
  }
}

/// When a file is closed and a new one begun, and how long closed files are kept. `nil` means never, and without limit.
public struct LogRotation: Sendable, Hashable {
  /// Bytes that a file may have.
  public var size: Int?
  /// How long a file is written to, counted from midnight UTC, so that `24h` makes a file a day.
  public var every: Duration?
  /// How many closed files are kept.
  public var keep: Int?
  /// How long a closed file is kept.
  public var maximumAge: Duration?
  /// Bytes of the disk for all files of the series.
  public var totalSize: Int?
  /// Whether closed files are compressed (gzip).
  public var compresses: Bool

  public init(
    size: Int? = 100 * 1024 * 1024, every: Duration? = nil, keep: Int? = nil, maximumAge: Duration? = nil, totalSize: Int? = nil,
    compresses: Bool = true
  ) {
    self.size = size
    self.every = every
    self.keep = keep
    self.maximumAge = maximumAge
    self.totalSize = totalSize
    self.compresses = compresses
  }
}
