import Logging
import NIOCore
import NIOPosix
import SallyportAuthentication
import SallyportConfiguration
import SallyportStrictYAML

/// Reads a configuration and everything that it names, as a start would, without listening or writing anything.
public struct ConfigurationCheck: Sendable {
  /// One line each, in the order of the file.
  public var faults: [String] = []
  public var warnings: [String] = []
  /// What the configuration describes, in a line; for one without faults.
  public var summary = ""

  /// Checks a file.
  public static func run(file: String) async -> ConfigurationCheck {
    var check = ConfigurationCheck()
    do {
      let configuration = try GatewayConfiguration.load(file: file)
      check.warnings = configuration.checkFiles().filter { $0.severity == .warning }.map(\.description) + configuration.tokenWarnings()
      try await self.build(configuration)
      check.summary =
        "\(file): \(configuration.listeners.count) listener(s), \(configuration.routes.count) route(s), \(configuration.upstreams.count) upstream(s): good"
    } catch let fault as StartFault {
      check.faults += fault.messages
    } catch {
      check.faults.append("\(error)")
    }
    return check
  }

  private static func build(_ configuration: GatewayConfiguration) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var silent = Logger(label: "sallyport.check") { _ in SwiftLogNoOpLogHandler() }
    silent.logLevel = .critical
    do {
      _ = try Gateway.read(configuration, group: group, logger: silent)
      try await group.shutdownGracefully()
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
  }
}
