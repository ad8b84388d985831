import SallyportAudit

/// Counts what a log holds: who did most, what was denied, who could not sign in, who is new, and when.
public struct LogSummary: Sendable, Codable, Equatable {
  public struct Count: Sendable, Codable, Equatable {
    public let name: String
    public let count: Int
  }

  public struct Hour: Sendable, Codable, Equatable {
    /// `2026-03-01T09`, UTC.
    public let hour: String
    public var requests = 0
    public var denied = 0
    public var failedSignIns = 0
    /// Answers with 500 and more.
    public var errors = 0
  }

  public struct FirstSeen: Sendable, Codable, Equatable {
    public let user: String
    public let time: String
    public let address: String
    public let method: String
  }

  public private(set) var requests = 0
  public private(set) var denied = 0
  public private(set) var failedSignIns = 0
  public private(set) var errors = 0
  public private(set) var changes = 0
  public private(set) var tunnels = 0
  public private(set) var impersonations = 0
  public private(set) var firstTime: String?
  public private(set) var lastTime: String?
  public private(set) var users: [Count] = []
  public private(set) var deniedByRule: [Count] = []
  public private(set) var deniedUsers: [Count] = []
  public private(set) var failuresByAddress: [Count] = []
  public private(set) var resources: [Count] = []
  public private(set) var verbs: [Count] = []
  public private(set) var codes: [Count] = []
  public private(set) var methods: [Count] = []
  public private(set) var asOthers: [Count] = []
  public private(set) var hours: [Hour] = []
  public private(set) var firstSeen: [FirstSeen] = []

  /// How many entries each list has at most.
  private static let listed = 20

  /// Gathers the counts, in memory that does not grow with the log.
  struct Gathering {
    private var summary = LogSummary()
    private var users = Tally()
    private var rules = Tally()
    private var deniedUsers = Tally()
    private var addresses = Tally()
    private var resources = Tally()
    private var verbs = Tally()
    private var codes = Tally()
    private var methods = Tally()
    private var asOthers = Tally()
    private var hours: [String: Hour] = [:]
    private var seen: [String: FirstSeen] = [:]
    private let since: String

    private static let longestMemory = 100_000

    /// - Parameter since: records before this one only say who was seen already
    init(since: WallTimeBound?) { self.since = since?.text ?? "" }

    mutating func add(_ record: ReviewedRecord) {
      guard record.event == nil, record.isLast else { return }
      if !record.user.isEmpty, record.user != "system:anonymous", self.seen[record.user] == nil, self.seen.count < Self.longestMemory {
        self.seen[record.user] = FirstSeen(
          user: record.user, time: record.time, address: record.addresses.first ?? "", method: record.method ?? "")
      }
      guard record.time >= self.since else { return }
      self.count(record)
      let key = String(record.time.prefix(13))
      guard self.hours.count < Self.longestMemory || self.hours[key] != nil else { return }
      self.hours[key, default: Hour(hour: key)].requests += 1
      if record.isDenied { self.hours[key]?.denied += 1 }
      if record.isFailedSignIn { self.hours[key]?.failedSignIns += 1 }
      if (record.code ?? 0) >= 500 { self.hours[key]?.errors += 1 }
    }

    private mutating func count(_ record: ReviewedRecord) {
      self.summary.requests += 1
      self.summary.firstTime = min(self.summary.firstTime ?? record.time, record.time)
      self.summary.lastTime = max(self.summary.lastTime ?? record.time, record.time)
      if !record.user.isEmpty { self.users.add(record.user) }
      if record.isDenied {
        self.summary.denied += 1
        self.rules.add(record.rule ?? "(default)")
        self.deniedUsers.add(record.user)
      }
      if record.isFailedSignIn {
        self.summary.failedSignIns += 1
        self.addresses.add(record.addresses.first ?? "?")
      }
      if (record.code ?? 0) >= 500 { self.summary.errors += 1 }
      if record.changesSomething { self.summary.changes += 1 }
      if record.code == 101 { self.summary.tunnels += 1 }
      if let other = record.impersonatedUser {
        self.summary.impersonations += 1
        self.asOthers.add("\(record.user) as \(other)")
      }
      if let resource = record.resource { self.resources.add(record.subresource.map { "\(resource)/\($0)" } ?? resource) }
      if !record.verb.isEmpty { self.verbs.add(record.verb) }
      self.codes.add(record.code.map(String.init) ?? "none")
      if let method = record.method { self.methods.add(method) }
    }

    /// The hours in order, and those between them in which nothing happened, so that a chart's axis is one of time.
    private static func withoutGaps(_ hours: [String: Hour]) -> [Hour] {
      let names = hours.keys.sorted()
      guard let first = names.first, let last = names.last, let start = WallTime("\(first):00:00Z"), let end = WallTime("\(last):00:00Z")
      else {
        return names.compactMap { hours[$0] }
      }
      let count = (end.nanosecondsSinceEpoch - start.nanosecondsSinceEpoch) / 3_600_000_000_000
      guard count < Int64(Self.longestMemory) else { return names.compactMap { hours[$0] } }
      return (0...count).map { index in
        let name = String(start.advanced(by: .seconds(index * 3600)).description.prefix(13))
        return hours[name] ?? Hour(hour: name)
      }
    }

    func finish() -> LogSummary {
      var summary = self.summary
      summary.users = self.users.top(LogSummary.listed)
      summary.deniedByRule = self.rules.top(LogSummary.listed)
      summary.deniedUsers = self.deniedUsers.top(LogSummary.listed)
      summary.failuresByAddress = self.addresses.top(LogSummary.listed)
      summary.resources = self.resources.top(LogSummary.listed)
      summary.verbs = self.verbs.top(LogSummary.listed)
      summary.codes = self.codes.top(LogSummary.listed)
      summary.methods = self.methods.top(LogSummary.listed)
      summary.asOthers = self.asOthers.top(LogSummary.listed)
      summary.hours = Self.withoutGaps(self.hours)
      summary.firstSeen = Array(
        self.seen.values.filter { $0.time >= self.since }.sorted { ($0.time, $0.user) > ($1.time, $1.user) }.prefix(LogSummary.listed))
      return summary
    }
  }

  /// Counts by name, of which a flood of new names makes it forget the rarest.
  private struct Tally {
    private var counts: [String: Int] = [:]
    private static let limit = 50_000

    mutating func add(_ name: String) {
      self.counts[name, default: 0] += 1
      guard self.counts.count > Self.limit else { return }
      let kept = self.counts.sorted { $0.value > $1.value }.prefix(Self.limit / 2)
      self.counts = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }

    func top(_ count: Int) -> [Count] {
      self.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(count).map { Count(name: $0.key, count: $0.value) }
    }
  }

  /// Summarises a log.
  ///
  /// - Parameters:
  ///   - since: what is counted; records before it still say who is not new
  public static func of(
    _ paths: [String], since: WallTimeBound? = nil, until: WallTimeBound? = nil,
    progress: @escaping (_ read: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(ReviewFault) -> LogSummary {
    var filter = RecordFilter()
    filter.until = until
    let records = try MergedRecords(paths, filter, progress: progress)
    var gathering = Gathering(since: since)
    while let next = try records.next() { gathering.add(next.record) }
    return gathering.finish()
  }

  private static func counted(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }

  /// The summary for people, with a newline at its end.
  public var text: String {
    var lines = [
      "\(self.firstTime ?? "-") to \(self.lastTime ?? "-")",
      [
        Self.counted(self.requests, "request"), Self.counted(self.changes, "change"), "\(self.denied) denied",
        Self.counted(self.failedSignIns, "failed sign-in"), Self.counted(self.errors, "server error"), Self.counted(self.tunnels, "tunnel"),
        "\(self.impersonations) as somebody else",
      ].joined(separator: ", "),
    ]
    for (title, counts) in [
      ("Users", self.users), ("Denied by rule", self.deniedByRule), ("Denied users", self.deniedUsers),
      ("Failed sign-ins by address", self.failuresByAddress), ("As somebody else", self.asOthers), ("Resources", self.resources),
      ("Verbs", self.verbs), ("Status", self.codes), ("Authentication", self.methods),
    ] where !counts.isEmpty {
      lines += ["", title]
      lines += counts.map { "  \(String(repeating: " ", count: max(0, 9 - String($0.count).count)))\($0.count)  \($0.name)" }
    }
    if !self.firstSeen.isEmpty {
      lines += ["", "First seen"]
      lines += self.firstSeen.map { "  \($0.time.prefix(19))Z  \($0.user)  \($0.method)  \($0.address)" }
    }
    if !self.hours.isEmpty {
      let most = max(1, self.hours.map(\.requests).max() ?? 1)
      lines += ["", "By hour (UTC)"]
      lines += self.hours.map { hour in
        let bar = String(repeating: "#", count: max(hour.requests > 0 ? 1 : 0, hour.requests * 40 / most))
        var remarks: [String] = []
        if hour.denied > 0 { remarks.append("\(hour.denied) denied") }
        if hour.failedSignIns > 0 { remarks.append("\(hour.failedSignIns) failed sign-ins") }
        return
          "  \(hour.hour.replacing("T", with: " "))h \(String(repeating: " ", count: max(0, 8 - String(hour.requests).count)))\(hour.requests)  \(bar)"
          + (remarks.isEmpty ? "" : "  \(remarks.joined(separator: ", "))")
      }
    }
    return lines.map(\.withoutControls).joined(separator: "\n") + "\n"
  }
}
