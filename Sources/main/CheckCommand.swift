import ArgumentParser
import Logging
import NIOPosix
import SallyportConfiguration
import SallyportService

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read a configuration and everything it names, and report every fault.",
    discussion: """
      Exit status 0: it would start. 1: it has faults; each is printed with its file, line and key.
      With --probe, directories, identity providers, endpoints and API servers are asked, too: each is a line, and what is wrong is a fault.
      """)

  @Option(name: .long, help: "The configuration file.")
  var config: String

  @Flag(
    name: .long,
    help:
      "Also ask LDAP servers, identity providers, introspection and token review whether they would do, and API servers by each credential."
  )
  var probe = false

  func run() async throws {
    let report = await ConfigurationCheck.run(file: self.config, probing: self.probe)
    for line in report.warnings { StandardError.print("warning: \(line)") }
    for line in report.faults { StandardError.print(line) }
    for line in report.findings { print(line) }
    guard report.faults.isEmpty else { throw ExitCode(1) }
    print(report.summary)
  }
}
