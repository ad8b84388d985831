import SallyportAudit

/// Holds Sallyport's log against the API server's own, request by request, by `auditID`.
///
/// What stands in the API server's log alone did not come through the proxy, or not with its name. Both logs are read once,
/// side by side in the order of time, so that only what a few minutes hold is in memory.
public struct LogJoin {
  public struct Difference: Sendable, Codable, Equatable {
    public enum Kind: String, Sendable, Codable {
      /// In the API server's log alone: somebody went around the proxy.
      case onlyAtAPIServer
      /// In Sallyport's log alone, though it was forwarded.
      case onlyAtSallyport
      /// In both, and not the same.
      case different
    }

    public let kind: Kind
    public let auditID: String
    public let time: String
    public let user: String
    public let address: String
    public let verb: String
    public let uri: String
    /// What is different, as `user alice/root`.
    public let detail: String?
  }

  public struct Result: Sendable, Codable, Equatable {
    public var matched = 0
    public var onlyAtAPIServer = 0
    public var onlyAtSallyport = 0
    public var different = 0
    /// Requests of the cluster's own components, which have no business with the proxy.
    public var ownComponents = 0
    public var isGood: Bool { self.onlyAtAPIServer == 0 && self.different == 0 }
  }

  /// How far apart the two logs may write of one request. A long-running one is joined when it begins or when it ends.
  private static let window: Duration = .seconds(600)
  /// How far apart the two machines' clocks may be, and a request on its way.
  private static let clockDifference: Duration = .seconds(60)

  private let includesComponents: Bool
  private let since: WallTimeBound?
  private let until: WallTimeBound?

  /// - Parameter includesComponents: whether users whose names begin with `system:` are expected to come through the proxy
  public init(includesComponents: Bool, since: WallTimeBound? = nil, until: WallTimeBound? = nil) {
    self.includesComponents = includesComponents
    self.since = since
    self.until = until
  }

  public func run(
    _ paths: [String], apiServerLogs: [String], _ found: (Difference) -> Void
  ) throws(ReviewFault) -> Result {
    var filter = RecordFilter()
    filter.allStages = true
    filter.since = self.since
    filter.until = self.until
    let files = try LogFiles(paths, series: [.requests]).files + LogFiles(paths, series: [.unauthenticated]).files
    var ours = try Side(MergedRecords(files.map(\.path), filter))
    var theirs = try Side(EventReader(apiServerLogs, filter))
    var state = State(includesComponents: self.includesComponents)
    while let next = Side.earlier(ours.next, theirs.next) {
      switch next {
      case .ours:
        if let record = ours.next { state.addOurs(record, found) }
        try ours.advance()
      case .theirs:
        if let record = theirs.next { state.addTheirs(record, found) }
        try theirs.advance()
      }
    }
    state.finish(found)
    return state.result
  }

  /// One of the logs, with its next record at hand.
  private struct Side {
    enum Which { case ours, theirs }
    private let read: () throws(ReviewFault) -> ReviewedRecord?
    private(set) var next: ReviewedRecord?

    init(_ records: MergedRecords) throws(ReviewFault) {
      self.read = { () throws(ReviewFault) in try records.next()?.record }
      try self.advance()
    }

    init(_ events: EventReader) throws(ReviewFault) {
      self.read = { () throws(ReviewFault) in try events.next() }
      try self.advance()
    }

    mutating func advance() throws(ReviewFault) { self.next = try self.read() }

    static func earlier(_ ours: ReviewedRecord?, _ theirs: ReviewedRecord?) -> Which? {
      guard let ours else { return theirs == nil ? nil : .theirs }
      guard let theirs else { return .ours }
      return ours.time <= theirs.time ? .ours : .theirs
    }
  }

  /// What waits for its other half.
  private struct State {
    let includesComponents: Bool
    var result = Result()
    private var ours: [String: ReviewedRecord] = [:]
    private var theirs: [String: ReviewedRecord] = [:]
    /// Requests that were joined not long ago, so that their other stages are not taken for strangers.
    private var joined: [String: String] = [:]
    private var steps = 0

    init(includesComponents: Bool) { self.includesComponents = includesComponents }

    mutating func addOurs(_ record: ReviewedRecord, _ found: (Difference) -> Void) {
      defer { self.tidy(at: record.time, found) }
      // What was not forwarded is not known to the API server.
      guard record.event == nil, record.upstream != nil || self.theirs[record.auditID] != nil else { return }
      if self.joined[record.auditID] != nil { return self.joined[record.auditID] = record.time }
      guard let other = self.theirs.removeValue(forKey: record.auditID) else {
        if self.ours[record.auditID] == nil { self.ours[record.auditID] = record }
        return
      }
      self.compare(record, other, found)
    }

    mutating func addTheirs(_ record: ReviewedRecord, _ found: (Difference) -> Void) {
      defer { self.tidy(at: record.time, found) }
      if self.joined[record.auditID] != nil { return self.joined[record.auditID] = record.time }
      guard let own = self.ours.removeValue(forKey: record.auditID) else {
        if self.theirs[record.auditID] == nil { self.theirs[record.auditID] = record }
        return
      }
      self.compare(own, record, found)
    }

    private mutating func compare(_ own: ReviewedRecord, _ other: ReviewedRecord, _ found: (Difference) -> Void) {
      self.result.matched += 1
      self.joined[own.auditID] = max(own.time, other.time)
      var details: [String] = []
      if own.user != other.user { details.append("user \(own.user)/\(other.user)") }
      if own.impersonatedUser ?? "" != other.impersonatedUser ?? "" {
        details.append("as \(own.impersonatedUser ?? "-")/\(other.impersonatedUser ?? "-")")
      }
      let theirURI = LogJoin.redacted(other.uri)
      if own.uri != theirURI, own.annotations["sallyport.dev/request-uri-sha256"] == nil { details.append("URI \(own.uri)/\(theirURI)") }
      if let address = own.addresses.first, !other.addresses.isEmpty, !other.addresses.contains(address) {
        details.append("address \(address)/\(other.addresses.joined(separator: ","))")
      }
      if let apart = LogJoin.apart(own.received, other.received), apart > LogJoin.clockDifference {
        details.append("received \(own.received)/\(other.received)")
      }
      guard !details.isEmpty else { return }
      self.result.different += 1
      found(LogJoin.difference(.different, own, detail: details.joined(separator: "; ")))
    }

    /// Now and then looks for what has waited too long.
    private mutating func tidy(at time: String, _ found: (Difference) -> Void) {
      self.steps += 1
      guard self.steps & 0xFFF == 0, let now = WallTime(time) else { return }
      let limit = now.advanced(by: .zero - LogJoin.window).description
      self.report(before: limit, found)
      self.joined = self.joined.filter { $0.value >= limit }
    }

    mutating func finish(_ found: (Difference) -> Void) { self.report(before: "~", found) }

    private mutating func report(before limit: String, _ found: (Difference) -> Void) {
      for record in self.ours.values.filter({ $0.time < limit }).sorted(by: { ($0.time, $0.auditID) < ($1.time, $1.auditID) }) {
        self.ours[record.auditID] = nil
        self.result.onlyAtSallyport += 1
        found(LogJoin.difference(.onlyAtSallyport, record, detail: nil))
      }
      for record in self.theirs.values.filter({ $0.time < limit }).sorted(by: { ($0.time, $0.auditID) < ($1.time, $1.auditID) }) {
        self.theirs[record.auditID] = nil
        if !self.includesComponents, record.user.hasPrefix("system:") {
          self.result.ownComponents += 1
          continue
        }
        self.result.onlyAtAPIServer += 1
        found(LogJoin.difference(.onlyAtAPIServer, record, detail: nil))
      }
    }
  }

  private static func difference(_ kind: Difference.Kind, _ record: ReviewedRecord, detail: String?) -> Difference {
    Difference(
      kind: kind, auditID: record.auditID, time: record.time, user: record.user, address: record.addresses.first ?? "", verb: record.verb,
      uri: record.uri, detail: detail)
  }

  private static func redacted(_ uri: String) -> String { RequestURIRedaction.redacted(uri) }

  private static func apart(_ left: String, _ right: String) -> Duration? {
    guard let left = WallTime(left), let right = WallTime(right) else { return nil }
    return .nanoseconds(abs(left.nanosecondsSinceEpoch - right.nanosecondsSinceEpoch))
  }
}

/// Reads the events of an API server's audit log, whose files may be of any name.
private final class EventReader {
  private var paths: [String]
  private let filter: RecordFilter
  private var reader: LineReader?

  init(_ paths: [String], _ filter: RecordFilter) {
    self.paths = paths.reversed()
    self.filter = filter
  }

  func next() throws(ReviewFault) -> ReviewedRecord? {
    while true {
      if self.reader == nil {
        guard let path = self.paths.popLast() else { return nil }
        self.reader = try LineReader(path)
      }
      while let line = try self.reader?.next() {
        if let record = ReviewedRecord(line.bytes), !record.auditID.isEmpty, self.filter.admits(record) { return record }
      }
      self.reader = nil
    }
  }
}
