import Foundation
import SallyportAudit

/// Which records a reviewer wants to see. Each condition holds where any of its values fits; all conditions must hold.
public struct RecordFilter: Sendable {
  /// In values, `*` stands for any characters.
  public var users: [String] = []
  public var groups: [String] = []
  public var verbs: [String] = []
  /// `pods`, `pods/exec`, `deployments.apps`.
  public var resources: [String] = []
  public var namespaces: [String] = []
  public var names: [String] = []
  public var decisions: [String] = []
  public var rules: [String] = []
  /// `403`, `4xx`, `400-499`.
  public var statuses: [StatusRange] = []
  public var methods: [String] = []
  public var addresses: [String] = []
  public var auditIDs: [String] = []
  public var since: WallTimeBound?
  public var until: WallTimeBound?
  /// Also the records of requests that are not at their end.
  public var allStages = false
  /// Also the log's and the gateway's own events.
  public var events = false

  public init() {}

  /// Texts of which one must be in a line, for every condition that is an exact text: most lines are passed over by this
  /// alone, without being read.
  func needles() -> [[ByteSearch]] {
    let conditions = [
      self.users, self.groups, self.verbs, self.namespaces, self.names, self.decisions, self.rules, self.methods, self.addresses,
      self.auditIDs,
    ]
    return conditions.compactMap { values in
      guard !values.isEmpty, values.allSatisfy({ !$0.contains("*") && $0.utf8.allSatisfy(Self.isPlain) }) else { return nil }
      return values.map { ByteSearch(Array("\"\($0)\"".utf8)) }
    }
  }

  /// Whether a byte of a text stands in JSON as it is.
  private static func isPlain(_ byte: UInt8) -> Bool { (0x20..<0x7F).contains(byte) && byte != 0x22 && byte != 0x5C }

  func admits(_ record: ReviewedRecord) -> Bool {
    if record.event != nil { return self.events && self.isOnlyAboutTime && self.admitsTime(record) }
    guard self.allStages || record.isLast, self.admitsTime(record) else { return false }
    guard Self.fits(self.users, [record.user] + (record.impersonatedUser.map { [$0] } ?? [])), Self.fits(self.groups, record.groups),
      Self.fits(self.verbs, [record.verb]), Self.fits(self.namespaces, [record.namespace]), Self.fits(self.names, [record.name]),
      Self.fits(self.decisions, [record.decision]), Self.fits(self.rules, [record.rule]), Self.fits(self.methods, [record.method]),
      Self.fits(self.addresses, record.addresses), Self.fits(self.auditIDs, [record.auditID])
    else { return false }
    if !self.statuses.isEmpty {
      guard let code = record.code, self.statuses.contains(where: { $0.range.contains(code) }) else { return false }
    }
    return self.resources.isEmpty || Self.fits(self.resources, Self.spellings(of: record))
  }

  private var isOnlyAboutTime: Bool {
    [
      self.users, self.groups, self.verbs, self.resources, self.namespaces, self.names, self.decisions, self.rules, self.methods,
      self.addresses,
    ]
    .allSatisfy(\.isEmpty) && self.statuses.isEmpty
  }

  private func admitsTime(_ record: ReviewedRecord) -> Bool {
    // Times of the log are of one form, whose texts are ordered as the times are.
    if let since, record.time < since.text { return false }
    if let until, record.time >= until.text { return false }
    return true
  }

  /// A subresource is part of its resource, so that `pods` shows `pods/exec`, too.
  private static func spellings(of record: ReviewedRecord) -> [String?] {
    guard let resource = record.resource else { return [] }
    var texts = [resource]
    if let group = record.apiGroup { texts.append("\(resource).\(group)") }
    if let subresource = record.subresource { texts += texts.map { "\($0)/\(subresource)" } }
    return texts
  }

  private static func fits(_ patterns: [String], _ values: [String?]) -> Bool {
    patterns.isEmpty || values.contains { value in value.map { value in patterns.contains { Wildcard.fits($0, value) } } ?? false }
  }
}

/// Status codes: `403`, `4xx`, `500-599`.
public struct StatusRange: Sendable, Hashable {
  let range: ClosedRange<Int>

  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    if text.count == 3, text.lowercased().hasSuffix("xx"), let hundreds = text.first?.wholeNumberValue, (1...9).contains(hundreds) {
      self.range = (hundreds * 100)...(hundreds * 100 + 99)
    } else if parts.count == 2, let first = Int(parts[0]), let last = Int(parts[1]), first <= last {
      self.range = first...last
    } else if let code = Int(text), (100...999).contains(code) {
      self.range = code...code
    } else {
      return nil
    }
  }
}

/// A moment, as a reviewer names it: `2h` (ago), `2026-03-01`, `2026-03-01T09:00:00Z`.
public struct WallTimeBound: Sendable, Hashable {
  /// As times stand in the log.
  let text: String

  public init?(_ text: String) { self.init(text, now: Date()) }

  init?(_ text: String, now: Date) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400]
    if let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number >= 0 {
      let seconds = now.timeIntervalSince1970 - number * unit
      self.text = WallTime(nanosecondsSinceEpoch: Int64(seconds * 1_000_000) * 1_000).description
    } else if let time = WallTime(text) ?? WallTime("\(text)T00:00:00Z") ?? WallTime("\(text):00Z") ?? WallTime("\(text)Z") {
      self.text = time.description
    } else {
      return nil
    }
  }
}

enum Wildcard {
  /// Whether a text fits a pattern in which `*` stands for any characters; compared by bytes.
  static func fits(_ pattern: String, _ text: String) -> Bool {
    let (pattern, text) = (Array(pattern.utf8), Array(text.utf8))
    var (p, t) = (0, 0)
    var (star, mark) = (-1, 0)
    while t < text.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = p
        mark = t
        p += 1
      } else if p < pattern.count, pattern[p] == text[t] {
        p += 1
        t += 1
      } else if star >= 0 {
        p = star + 1
        mark += 1
        t = mark
      } else {
        return false
      }
    }
    while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
    return p == pattern.count
  }
}
