import Foundation
import SallyportConfiguration
import SallyportWire
import Testing

/// The gateway's part of the recipes of docs/DASHBOARD.md.
@Suite struct DashboardRecipeTests {
  private static func document() throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("docs/DASHBOARD.md"), encoding: .utf8)
  }

  /// The common configuration, and those that a recipe's upstreams and routes make of it.
  private static func configurations() throws -> [String] {
    let blocks = try Self.document().matches(of: /```yaml\n((?:.|\n)*?)```/).map { String($0.1) }
    let common = try #require(blocks.first { $0.hasPrefix("apiVersion: sallyport.dev/") })
    let start = try #require(common.range(of: "upstreams:\n")).lowerBound
    let end = try #require(common.range(of: "audit:")).lowerBound
    return [common] + blocks.filter { $0.hasPrefix("upstreams:\n") }.map { common[..<start] + $0 + common[end...] }
  }

  @Test func eachIsAConfigurationThatGivesTheWebInterfaceNothingButATokenForTheGateway() throws {
    let configurations = try Self.configurations()
    #expect(configurations.count == 4)
    var interfaces: [String] = []
    for text in configurations {
      let read = try GatewayConfiguration.load(yaml: text, fileName: "sallyport.yaml")
      #expect(read.routes.count == 2 && read.routes.last?.name == "api")
      let interface = try #require(read.routes.first)
      interfaces.append(interface.name)
      #expect(interface.authenticate == [.session] && interface.impersonation == .refuse && interface.credential == "dashboard-token")
      let upstream = try #require(read.upstreams.first { $0.name == interface.upstream })
      #expect(upstream.kind == .generic && upstream.caFile != nil && upstream.servers.allSatisfy { $0.scheme == .https }, "\(upstream)")
      // Two origins: each has hosts of its own.
      let hosts = read.routes.map { Set($0.match.hosts) }
      #expect(hosts.allSatisfy { !$0.isEmpty } && hosts[0].isDisjoint(with: hosts[1]))
      #expect(read.routes.last?.authenticate.contains(.token) == true)
      #expect(read.credentials.first { $0.name == "dashboard-token" }?.kind == .idToken(audience: "sallyport"))
    }
    #expect(interfaces == ["dashboard", "dashboard", "headlamp", "kube-web-view"])
  }

  /// Headlamp's route with a header, which stands alone in the text.
  @Test func theHeaderOfHeadlampsRouteCanBeSet() throws {
    let blocks = try Self.document().matches(of: /```yaml\n((?:.|\n)*?)```/).map { String($0.1) }
    let route = try #require(blocks.first { $0.hasPrefix("routes:\n") && $0.contains("setHeaders") })
    let headlamp = try #require(try Self.configurations().first { $0.contains("name: headlamp") })
    let start = try #require(headlamp.range(of: "- name: headlamp\n  match"))
    let end = try #require(headlamp.range(of: "- name: api\n"))
    let text = headlamp[..<start.lowerBound] + route.replacing("routes:\n", with: "") + headlamp[end.lowerBound...]
    let read = try GatewayConfiguration.load(yaml: String(text), fileName: "sallyport.yaml")
    #expect(read.routes.first?.headers.set.map(\.name.description) == ["X-Sallyport-User"])
  }
}
