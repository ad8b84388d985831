import ArgumentParser
import Logging
import NIOCore
import NIOPosix
import SallyportConfiguration
import SallyportService

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the gateway.", discussion: "SIGTERM and SIGINT end it: requests get a moment to finish.")

  @Option(name: .long, help: "The configuration file.")
  var config: String

  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    OpenFileLimit.raise()
    WriteSignals.areErrors()
    let configuration = try Faults.reported { try GatewayConfiguration.load(file: self.config) }
    let logger = self.logging.logger()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops ?? System.coreCount)
    let gateway = try await Faults.reported { try await Gateway.start(configuration, group: group, logger: logger) }
    let signal = await EndSignal.wait()
    logger.notice("shutting down", metadata: ["signal": "\(signal)"])
    await gateway.shutDown(grace: .seconds(10))
    try await group.shutdownGracefully()
  }
}
