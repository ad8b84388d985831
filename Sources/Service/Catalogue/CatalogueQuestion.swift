import Logging
import NIOCore
import NIOPosix
public import SallyportConfiguration
import SallyportCore
import SallyportCredential
public import SallyportPolicy
import SallyportUpstream

extension Catalogue {
  /// Asks an upstream for its description, once, as a gateway with this configuration would: over its connections, as the
  /// gateway's own user. Nothing else is started.
  ///
  /// - Parameter name: the upstream's name
  /// - Throws: ``StartFault``: files that cannot be read, no credential that tells who asks, no answer within half a minute
  public static func asking(_ configuration: GatewayConfiguration, upstream name: String) async throws(StartFault) -> Catalogue {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let answer = await self.answer(configuration, name, group)
    try? await group.shutdownGracefully()
    return try answer.get()
  }

  private static func answer(
    _ configuration: GatewayConfiguration, _ name: String, _ group: any EventLoopGroup
  ) async -> Result<Catalogue, StartFault> {
    let silent = Logger(label: "sallyport.policy") { _ in SwiftLogNoOpLogHandler() }
    do throws(StartFault) {
      let discovery = try self.discovery(configuration, name, group, silent)
      let source = try CatalogueSource.asking(
        discovery.upstream, credential: discovery.credential, eventLoop: group.next(), logger: silent, onChange: { _ in })
      await source.refresh(within: .seconds(30))
      discovery.upstream.close()
      guard let catalogue = source.catalogue else {
        throw StartFault(["upstream \(name): its API description cannot be had: \(source.status.fault ?? "it did not answer")"])
      }
      return .success(catalogue)
    } catch {
      return .failure(error)
    }
  }

  private static func discovery(
    _ configuration: GatewayConfiguration, _ name: String, _ group: any EventLoopGroup, _ logger: Logger
  ) throws(StartFault) -> Discovery {
    guard let section = configuration.upstreams.first(where: { $0.name == name }) else {
      throw StartFault(["there is no upstream \(name)"])
    }
    let names = Set(configuration.routes.filter { $0.upstream == name }.map(\.credential))
    var faults = FaultCollector()
    let read = configuration.readCredentials(names, &faults).named
    let credentials = configuration.credentials.compactMap { read[$0.name] }
    let upstream = faults.collect { () throws(Problem) in
      try Upstream(configuration: section.settings(presenting: credentials.compactMap(\.certificate)), group: group, logger: logger)
    }
    if faults.isEmpty, !credentials.contains(where: \.source.statesIdentity) {
      faults.add("upstream \(name): no route to it has a credential that tells the upstream who asks")
    }
    guard let upstream, let credential = credentials.first(where: \.source.statesIdentity)?.source, faults.isEmpty else {
      throw faults.fault
    }
    return Discovery(upstream: upstream, credential: credential, section: section)
  }
}
