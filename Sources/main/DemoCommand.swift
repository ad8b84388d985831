import ArgumentParser
import Logging
import NIOCore
import NIOPosix
import SallyportDemo

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Run everything on loopback: certificates, a practice API server, and the gateway before it.")

  @Option(name: .long, help: "The gateway's port; 0 takes a free one.")
  var port = 8443

  @Option(name: .long, help: "Where the demo's files go.")
  var directory = "demo"

  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    OpenFileLimit.raise()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
    let demo = try await Faults.reported {
      try await Demo.start(directory: self.directory, port: self.port, group: group, logger: self.logging.logger())
    }
    StandardOutput.print(demo.invitation())
    await Signals.end()
    await demo.stop()
    try await group.shutdownGracefully()
  }
}
