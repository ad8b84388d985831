import ArgumentParser
import Logging
import NIOPosix
import SallyportConfiguration
import SallyportService

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read a configuration and everything it names, and report every fault.",
    discussion: "Exit status 0: it would start. 1: it has faults; each is printed with its file, line and key.")

  @Option(name: .long, help: "The configuration file.")
  var config: String

  func run() async throws {
    let report = await ConfigurationCheck.run(file: self.config)
    for line in report.warnings { StandardError.print("warning: \(line)") }
    for line in report.faults { StandardError.print(line) }
    guard report.faults.isEmpty else { throw ExitCode(1) }
    print(report.summary)
  }
}
