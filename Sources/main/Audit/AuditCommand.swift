import ArgumentParser
import Foundation
import SallyportAuditReview

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Review the audit log.",
    subcommands: [
      AuditShowCommand.self, AuditFollowCommand.self, AuditSummaryCommand.self, AuditReportCommand.self, AuditVerifyCommand.self,
      AuditJoinCommand.self, AuditPublicKeyCommand.self,
    ])
}

/// How far a long reading has come, on a terminal alone.
final class ProgressLine {
  private let isShown = isatty(FileHandle.standardError.fileDescriptor) == 1
  private var last = ContinuousClock.now

  func show(_ read: Int, of total: Int) {
    guard self.isShown, ContinuousClock.now - self.last > .milliseconds(200), total > 0 else { return }
    self.last = .now
    self.write("\r\(read * 100 / total) % of \(total / 1_048_576) MiB")
  }

  func clear() {
    if self.isShown { self.write("\r\u{1B}[K") }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// Which records a command is about.
struct RecordOptions: ParsableArguments {
  @Option(help: "Who asked, or was asked to be acted as; `*` stands for any characters. Repeat this and the others for more.")
  var user: [String] = []

  @Option(help: "A group of the user.")
  var group: [String] = []

  @Option(help: "get, list, watch, create, update, patch, delete, ….")
  var verb: [String] = []

  @Option(help: "pods, pods/exec, deployments.apps, ….")
  var resource: [String] = []

  @Option(name: [.customShort("n"), .long], help: "The namespace.")
  var namespace: [String] = []

  @Option(help: "The object's name.")
  var name: [String] = []

  @Option(help: "allow or deny.")
  var decision: [String] = []

  @Option(help: "The rule that decided.")
  var rule: [String] = []

  @Option(help: "The HTTP status: 403, 4xx, 400-499.")
  var status: [String] = []

  @Option(help: "How the user was authenticated: clientCertificate, passwordFile, ….")
  var method: [String] = []

  @Option(help: "The client's address.")
  var address: [String] = []

  @Option(name: .customLong("audit-id"), help: "The record's auditID.")
  var auditID: [String] = []

  @Option(help: "From when on: 2h (ago), 3d, 2026-03-01, 2026-03-01T09:00:00Z.")
  var since: String?

  @Option(help: "Until when.")
  var until: String?

  @Flag(help: "Also requests that are not at their end.")
  var allStages = false

  @Flag(help: "Also the log's and the gateway's own events.")
  var events = false

  func validate() throws {
    for text in [self.since, self.until].compactMap({ $0 }) where WallTimeBound(text) == nil {
      throw ValidationError("\(text) is no time: write 2h, 2026-03-01 or 2026-03-01T09:00:00Z")
    }
    for text in self.status where StatusRange(text) == nil { throw ValidationError("\(text) is no status: write 403, 4xx or 400-499") }
  }

  var filter: RecordFilter {
    var filter = RecordFilter()
    filter.users = self.user
    filter.groups = self.group
    filter.verbs = self.verb
    filter.resources = self.resource
    filter.namespaces = self.namespace
    filter.names = self.name
    filter.decisions = self.decision
    filter.rules = self.rule
    filter.statuses = self.status.compactMap { StatusRange($0) }
    filter.methods = self.method
    filter.addresses = self.address
    filter.auditIDs = self.auditID
    filter.since = self.since.flatMap { WallTimeBound($0) }
    filter.until = self.until.flatMap { WallTimeBound($0) }
    filter.allStages = self.allStages
    filter.events = self.events
    return filter
  }
}

/// Prints records as they are found.
struct RecordPrinting {
  private let table: RecordTable?

  init(_ form: OutputForm) {
    let isTerminal = isatty(FileHandle.standardOutput.fileDescriptor) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    self.table = form == .text ? RecordTable(isColoured: isTerminal) : nil
  }

  func begin() { if let table { StandardOutput.print(table.header) } }

  /// - Parameter line: the record as it stands in the log
  func text(_ record: ReviewedRecord, _ line: [UInt8]) -> String {
    self.table.map { $0.line(record) } ?? String(decoding: line, as: UTF8.self)
  }
}

extension OutputForm {
  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
