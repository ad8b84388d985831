import ArgumentParser
import Foundation
import SallyportAuditReview

/// The time that a summary is about.
struct TimeOptions: ParsableArguments {
  @Option(help: "From when on: 2h (ago), 3d, 2026-03-01, 2026-03-01T09:00:00Z.")
  var since: String?

  @Option(help: "Until when.")
  var until: String?

  func validate() throws {
    for text in [self.since, self.until].compactMap({ $0 }) where WallTimeBound(text) == nil {
      throw ValidationError("\(text) is no time: write 2h, 2026-03-01 or 2026-03-01T09:00:00Z")
    }
  }

  var first: WallTimeBound? { self.since.flatMap { WallTimeBound($0) } }
  var last: WallTimeBound? { self.until.flatMap { WallTimeBound($0) } }
}

struct AuditSummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary", abstract: "Count what the audit log holds: users, denials, failed sign-ins, who is new, by hour.")

  @Argument(help: "The audit directory, or files of it.", completion: .file())
  var paths: [String]

  @OptionGroup var time: TimeOptions

  @Option(help: "text or json.")
  var output = OutputForm.text

  func run() throws {
    let summary = try Faults.reported {
      let progress = ProgressLine()
      defer { progress.clear() }
      return try LogSummary.of(self.paths, since: self.time.first, until: self.time.last) { progress.show($0, of: $1) }
    }
    switch self.output {
    case .json: print(try OutputForm.encode(summary))
    case .text: print(summary.text, terminator: "")
    }
  }
}
