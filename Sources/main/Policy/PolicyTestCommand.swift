import ArgumentParser
import SallyportCommands

struct PolicyTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run the test cases that policy files carry.",
    discussion: "Exit status 0: all pass. 3: a case failed; each is printed with its explanation. 1: a fault in the files.")

  @Option(help: "The OpenAPI document of the upstream, for rules that speak of operations or of what they return.", completion: .file())
  var openapi: String?

  @Option(help: "text or json.")
  var output = OutputForm.text

  @Argument(help: "Policy files.", completion: .file(extensions: ["yaml", "yml"]))
  var files: [String]

  func run() throws {
    try Exit.reporting {
      let report = try PolicyTestReport(files: self.files, openapi: self.openapi)
      for warning in report.warnings { StandardError.print("warning: \(warning)") }
      print(try self.output == .json ? report.json() : report.text)
      if report.failures > 0 { throw Exit.denied }
    }
  }
}
