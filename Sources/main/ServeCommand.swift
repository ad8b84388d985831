import ArgumentParser
import Logging
import Metrics
import NIOCore
import NIOPosix
import SallyportConfiguration
import SallyportMetrics
import SallyportService

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the gateway.",
    discussion: """
      SIGHUP reads the configuration and all its files anew, and so does a change of one of them.
      SIGTERM and SIGINT end it: requests get a moment to finish, streams and tunnels another. A second one ends it at once.
      """)

  @Option(name: .long, help: "The configuration file.")
  var config: String

  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    OpenFileLimit.raise()
    WriteSignals.areErrors()
    // Heard from the beginning: one that comes during the start must not kill it half-way.
    let signals = Signals.stream(of: [.terminate, .interrupt, .hangUp])
    let served = try Faults.reported { try ServedConfiguration(file: self.config) }
    let logger = self.logging.logger()
    let metrics = MetricRegistry()
    MetricsSystem.bootstrap(metrics)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: served.configuration.eventLoops ?? System.coreCount)
    let gateway = try await Faults.reported {
      try await Gateway.start(served.configuration, group: group, logger: logger, metrics: metrics)
    }
    let reloader = Reloader(gateway, serving: served, logger: logger)
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask { await reloader.run() }
      await self.serve(gateway, reloader, signals, logger)
      tasks.cancelAll()
    }
    try await group.shutdownGracefully()
  }

  /// Returns when the gateway has ended.
  private func serve(
    _ gateway: Gateway, _ reloader: Reloader, _ signals: AsyncStream<Signals.Received>, _ logger: Logger
  ) async {
    var end: Task<Void, Never>?
    // The end itself is the last that is heard.
    let (heard, continuation) = AsyncStream<Signals.Received?>.makeStream()
    let listening = Task { for await signal in signals { continuation.yield(signal) } }
    for await signal in heard {
      switch signal {
      case nil: return listening.cancel()
      case .hangUp?:
        logger.notice("reloading", metadata: ["signal": "SIGHUP"])
        gateway.reopenLog()
        reloader.request()
      case .terminate?, .interrupt?:
        guard end == nil else {
          logger.notice("ending at once", metadata: ["signal": "\(signal?.rawValue ?? "")"])
          gateway.hurry()
          continue
        }
        logger.notice("shutting down", metadata: ["signal": "\(signal?.rawValue ?? "")"])
        end = Task {
          await gateway.shutDown()
          continuation.yield(nil)
        }
      }
    }
  }
}
