import Logging
import NIOCore
import NIOPosix
import SallyportAuthentication
import SallyportConfiguration
import SallyportStrictYAML
import SallyportUpstream

/// Reads a configuration and everything that it names, as a start would, without listening or writing anything.
public struct ConfigurationCheck: Sendable {
  /// One line each, in the order of the file.
  public var faults: [String] = []
  public var warnings: [String] = []
  /// What those said who were asked, one line each; they stand among the faults where something is wrong with them.
  public var findings: [String] = []
  /// What the configuration describes, in a line; for one without faults.
  public var summary = ""

  /// Checks a file.
  ///
  /// - Parameter probing: whether those are asked, too, whom the configuration depends on: directories, identity providers, endpoints
  public static func run(file: String, probing: Bool = false) async -> ConfigurationCheck {
    var check = ConfigurationCheck()
    do {
      let configuration = try GatewayConfiguration.load(file: file)
      check.warnings = configuration.checkFiles().filter { $0.severity == .warning }.map(\.description) + configuration.tokenWarnings()
      for finding in try await self.build(configuration, probing: probing) {
        if finding.isGood { check.findings.append(finding.description) } else { check.faults.append(finding.description) }
      }
      check.summary =
        "\(file): \(configuration.listeners.count) listener(s), \(configuration.routes.count) route(s), \(configuration.upstreams.count) upstream(s): good"
    } catch let fault as StartFault {
      check.faults += fault.messages
    } catch {
      check.faults.append("\(error)")
    }
    return check
  }

  private static func build(_ configuration: GatewayConfiguration, probing: Bool) async throws -> [ProbeFinding] {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var silent = Logger(label: "sallyport.check") { _ in SwiftLogNoOpLogHandler() }
    silent.logLevel = .critical
    do {
      let findings = try await self.read(configuration, probing: probing, group: group, logger: silent)
      try await group.shutdownGracefully()
      return findings
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
  }

  /// What was read is let go of here, while its event loops still run.
  private static func read(
    _ configuration: GatewayConfiguration, probing: Bool, group: any EventLoopGroup, logger: Logger
  ) async throws -> [ProbeFinding] {
    let parts = try Gateway.read(configuration, group: group, logger: logger)
    guard probing else { return [] }
    let findings = await parts.generation.probe() + parts.generation.probeCredentials(of: configuration, on: group.next())
    for upstream in parts.generation.upstreams.values { upstream.close() }
    return findings
  }
}
