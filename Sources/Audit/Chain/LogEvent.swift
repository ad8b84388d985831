/// Something that happened to the log itself, or to the process that writes it, as a record among the others.
///
/// It is an `Event` of `audit.k8s.io/v1` like every other, so that a reader of the log needs to know one form only: without
/// a user, a verb or a URI, and with the annotation `sallyport.dev/event` in their place.
package struct LogEvent: Sendable {
  /// The raw value stands in the record.
  package enum Kind: String, Sendable, CaseIterable {
    /// The first record of every file: which file of which series it is, and what the one before closed with.
    case fileOpened
    /// The last record of a file that was closed in order.
    case fileClosed
    /// About once a minute, where there was something to sign.
    case checkpoint
    /// Old files were removed as the configuration says.
    case filesRemoved
    /// A last line without its end, or a file that could not be gone on with, was set aside.
    case setAside
    /// When the log was opened, it ended before what it is known to have held.
    case recordsMissing
    /// On the standard output alone: lines were not printed, because nobody read them in time.
    case outputLost
    case started
    case stopped
    /// A configuration was taken over, or refused.
    case reloaded
    /// An operator ended sessions.
    case sessionsRevoked
  }

  package let kind: Kind
  private let facts: [(name: StaticString, value: String)]

  /// - Parameter facts: further annotations, each with `sallyport.dev/` in front of its name
  init(_ kind: Kind, _ facts: [(name: StaticString, value: String)]) {
    self.kind = kind
    self.facts = facts
  }

  /// Writes the event's line up to the two braces that close every record.
  func encode(into line: inout LineBytes, id: AuditID, at time: WallTime) {
    line.write(#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":""#)
    id.write(to: &line)
    line.write(#"","stage":"ResponseComplete","requestURI":"","verb":"","user":{},"requestReceivedTimestamp":""#)
    time.write(to: &line)
    line.write(#"","stageTimestamp":""#)
    time.write(to: &line)
    line.write(#"","annotations":{"sallyport.dev/event":""#)
    line.writeText(self.kind.rawValue, limit: RecordLimits.name)
    for (name, value) in self.facts {
      line.write(#"","sallyport.dev/"#)
      line.write(name)
      line.write(#"":""#)
      line.writeText(value, limit: RecordLimits.message)
    }
    line.write("\"")
  }
}

extension LogEvent {
  /// The first record of a file.
  ///
  /// - Parameters:
  ///   - previous: the link of the last record of the file before
  static func fileOpened(_ series: AuditSeries, file: UInt64, previous: ChainValue, key: String) -> LogEvent {
    LogEvent(.fileOpened, [("series", series.rawValue), ("file", "\(file)"), ("previous-chain", previous.description), ("key", key)])
  }

  /// What happened to the gateway; whatever an operator wrote stands behind the facts of the log.
  static func gateway(_ event: GatewayEvent, _ series: AuditSeries, file: UInt64, key: String) -> LogEvent {
    LogEvent(event.kind, [("series", series.rawValue), ("file", "\(file)"), ("key", key)] + event.facts)
  }

  static func mark(_ kind: Kind, _ series: AuditSeries, file: UInt64, key: String) -> LogEvent {
    LogEvent(kind, [("series", series.rawValue), ("file", "\(file)"), ("key", key)])
  }

  static func filesRemoved(_ series: AuditSeries, file: UInt64, key: String, _ removal: ClosedFiles.Removal) -> LogEvent {
    LogEvent(
      .filesRemoved,
      [
        ("series", series.rawValue), ("file", "\(file)"), ("key", key), ("removed-through", "\(removal.through)"),
        ("removed-chain", removal.closing.description), ("removed-because", removal.because),
        ("removed", removal.files.map(\.name).joined(separator: ",")),
      ])
  }

  static func setAside(_ series: AuditSeries, file: UInt64, key: String, _ piece: SetAsidePiece) -> LogEvent {
    LogEvent(
      .setAside,
      [
        ("series", series.rawValue), ("file", "\(file)"), ("key", key), ("set-aside", piece.name), ("set-aside-bytes", "\(piece.bytes)"),
        ("set-aside-sha256", piece.sha256), ("set-aside-because", piece.reason),
      ])
  }

  /// - Parameter known: how far the log is known to have come
  static func recordsMissing(_ series: AuditSeries, file: UInt64, key: String, known: ChainHead, found: Chain) -> LogEvent {
    LogEvent(
      .recordsMissing,
      [
        ("series", series.rawValue), ("file", "\(file)"), ("key", key), ("known-sequence", "\(known.chain.sequence)"),
        ("known-chain", known.chain.value.description), ("found-sequence", "\(found.sequence)"), ("found-chain", found.value.description),
      ])
  }
}

/// Bytes that were taken out of a log, or a whole file of them.
struct SetAsidePiece: Sendable, Equatable {
  /// The file that they are in now.
  let name: String
  let bytes: Int
  /// Of the bytes, in hexadecimal digits; empty for a whole file.
  let sha256: String
  let reason: String
}
