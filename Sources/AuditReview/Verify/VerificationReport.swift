/// What a review of the chain found.
public struct VerificationReport: Sendable, Codable, Equatable {
  /// Something that an honest log does not have.
  public struct Finding: Sendable, Codable, Equatable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
      /// A record is not what was written, or is none at all.
      case changed
      /// Records are missing.
      case removed
      /// A line that the log's writer did not write.
      case added
      /// A record stands where it was not written, or stands twice.
      case reordered
      /// A file, or the log, ends before its end.
      case cut
      /// A signature is missing or not good: the chain was written anew, or the key is another one.
      case signature
      /// A file is missing, is in another's place, or is there twice.
      case file
      /// The writer itself found, and recorded, that the log had been tampered with.
      case recorded
    }

    public let kind: Kind
    /// The file and, where there is one, the line: `audit/requests.jsonl:123`.
    public let place: String
    public let auditID: String?
    public let message: String
  }

  /// How far one series was read.
  public struct Series: Sendable, Codable, Equatable {
    public let series: String
    public var files = 0
    public var records = 0
    public var bytes = 0
    public var firstTime: String?
    public var lastTime: String?
    /// The number and link of the last record that a signature speaks for. Noted in a safe place, they prove later that the
    /// log is still the same up to here.
    public var signedThrough: UInt64 = 0
    public var anchor: String?
    /// Records behind the last signature.
    public var unsigned = 0
    /// Files that the log itself says were removed as configured.
    public var removedFiles: UInt64 = 0
  }

  public var series: [Series] = []
  public var findings: [Finding] = []
  /// Findings beyond those listed.
  public var moreFindings = 0
  /// What a reviewer should know, and no fault.
  public var notes: [String] = []

  public var isGood: Bool { self.findings.isEmpty }

  static let listed = 1000

  mutating func add(_ kind: Finding.Kind, _ place: String, of auditID: String? = nil, _ message: String) {
    guard self.findings.count < Self.listed else { return self.moreFindings += 1 }
    self.findings.append(Finding(kind: kind, place: place, auditID: auditID, message: message))
  }
}

/// A record that a log must hold: where a reviewer noted, earlier and elsewhere, that the chain had come.
public struct ChainAnchor: Sendable, Hashable, CustomStringConvertible {
  let series: String
  let sequence: UInt64
  let link: String

  /// Reads `requests:1234:9f86d081…`, as ``VerificationReport/Series/anchor`` writes it.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let sequence = UInt64(parts[1]), parts[2].count == 64 else { return nil }
    self.series = String(parts[0])
    self.sequence = sequence
    self.link = String(parts[2])
  }

  init(series: String, sequence: UInt64, link: String) {
    self.series = series
    self.sequence = sequence
    self.link = link
  }

  public var description: String { "\(self.series):\(self.sequence):\(self.link)" }
}
