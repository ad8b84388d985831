import ArgumentParser
import Foundation
import SallyportAuditReview

struct AuditReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a report on the audit log: one HTML page that needs nothing else.",
    discussion: "The page has no outside resource, so that it can be mailed and archived; it fits dark and light screens, and paper.")

  @Argument(help: "The audit directory, or files of it.", completion: .file())
  var paths: [String]

  @Option(name: .shortAndLong, help: "The page; unless given, it is printed.", completion: .file())
  var file: String?

  @Option(help: "How many noteworthy records the page's table has at most.")
  var rows = 2000

  @OptionGroup var time: TimeOptions

  func run() throws {
    let page = try Faults.reported {
      let progress = ProgressLine()
      defer { progress.clear() }
      return try LogReport.of(self.paths, since: self.time.first, until: self.time.last, rows: self.rows) { progress.show($0, of: $1) }.html
    }
    guard let file else { return print(page) }
    try Exit.reporting { try Data(page.utf8).write(to: URL(fileURLWithPath: file), options: .atomic) }
  }
}
