import ArgumentParser
import Foundation
import SallyportAuditReview

struct AuditShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show records of the audit log, the oldest first.",
    discussion: "Plain and compressed files are read. With --output json the records are printed as they stand in the log.")

  @Argument(help: "The audit directory, or files of it.", completion: .file())
  var paths: [String]

  @OptionGroup var records: RecordOptions

  @Option(help: "How many records at most; all without it.")
  var limit: Int?

  @Option(help: "text or json.")
  var output = OutputForm.text

  func run() throws {
    let printing = RecordPrinting(self.output)
    printing.begin()
    try Faults.reported {
      // Records go out in blocks: a write for each would take longer than to find it.
      var block = ""
      try LogShow(self.records.filter).run(self.paths, limit: self.limit ?? .max) { record, line in
        block += printing.text(record, line) + "\n"
        guard block.utf8.count > 64 * 1024 else { return }
        FileHandle.standardOutput.write(Data(block.utf8))
        block = ""
      }
      FileHandle.standardOutput.write(Data(block.utf8))
    }
  }
}
