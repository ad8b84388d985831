import ArgumentParser
import Foundation
import SallyportAuditReview

struct AuditFollowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow", abstract: "Show records as they are written, also when files are closed and begun.",
    discussion: "Begins at the end of the log. Ctrl-C ends it.")

  @Argument(help: "The audit directory.", completion: .directory)
  var directory: String

  @OptionGroup var records: RecordOptions

  @Option(help: "text or json.")
  var output = OutputForm.text

  func run() throws {
    let printing = RecordPrinting(self.output)
    try Faults.reported {
      let follower = try LogFollower(self.directory, self.records.filter)
      printing.begin()
      while true {
        try follower.poll { StandardOutput.print(printing.text($0, $1)) }
        Thread.sleep(forTimeInterval: 0.2)
      }
    }
  }
}
