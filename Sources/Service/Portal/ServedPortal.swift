import Foundation
import SallyportAuthentication
import SallyportConfiguration
import SallyportPortal
import SallyportSessions
import SallyportStrictYAML

/// The pages by which people sign in, as a generation serves them.
struct ServedPortal: Sendable {
  /// What the gateway is called on its pages.
  let name: String
  let theme: PortalTheme
  /// The hosts of the routes that accept sessions, in lower case; `nil` for any host.
  let hosts: Set<String>?
  let tokens: FormTokens
  let flows: FlowSeal
  let endings: SessionEndings

  func serves(_ host: HostName?) -> Bool {
    guard let hosts else { return true }
    return host.map { hosts.contains($0.text) } ?? false
  }

  /// - Parameter keys: those of the sessions that several gateways share: a form of one of them is a form of all
  /// - Returns: `nil` where nobody signs in with a browser
  /// - Throws: what is wrong with the logo
  init?(_ configuration: GatewayConfiguration, _ continuation: Continuation, sharing keys: SessionKeys?) throws(StartFault) {
    guard let section = configuration.authentication.signIn else { return nil }
    self.theme = try PortalTheme(section)
    let routes = configuration.routes.filter { $0.authenticate.contains(.session) }
    self.name = section.name
    self.hosts = routes.contains { $0.match.hosts.isEmpty } ? nil : Set(routes.flatMap(\.match.hosts))
    let key = keys?.forms ?? continuation.formKey
    self.tokens = FormTokens(key: key)
    self.flows = FlowSeal(root: key)
    self.endings = continuation.sessionEndings
  }
}

extension PortalTheme {
  fileprivate init(_ section: GatewayConfiguration.Authentication.SignIn) throws(StartFault) {
    self.init(
      accent: section.accentColor.map { AccentColor(red: $0.red, green: $0.green, blue: $0.blue) },
      logo: try section.logoFile.map { file throws(StartFault) in try Self.logo(file) })
  }

  private static func logo(_ file: NamedFile) throws(StartFault) -> PortalLogo {
    func fault(_ problem: String, _ remedy: String) -> StartFault {
      StartFault([FileFault(at: file.place, "names \(file.path), which \(problem)", remedy).description])
    }
    guard let content = FileManager.default.contents(atPath: file.path) else {
      throw fault("cannot be read", "check the path and its permissions")
    }
    guard content.count <= PortalLogo.largest else { throw fault("has more than 64 KiB", "it is sent with every page: make it smaller") }
    guard let logo = PortalLogo(content) else { throw fault("is neither a PNG nor an SVG", "save it as one of the two") }
    return logo
  }
}

/// Tells of sessions that ended, so that nothing stays open that they let in.
final class SessionEndings: Sendable {
  let keys: AsyncStream<[[UInt8]]>
  private let continuation: AsyncStream<[[UInt8]]>.Continuation

  init() { (self.keys, self.continuation) = AsyncStream.makeStream() }

  func tell(_ keys: [[UInt8]]) {
    if !keys.isEmpty { self.continuation.yield(keys) }
  }
}

extension SessionRules {
  /// As the configuration words them.
  init(_ section: GatewayConfiguration.Authentication.SignIn) {
    self.init(
      limits: SessionLimits(
        idle: section.session.idle, lifetime: section.session.lifetime, perUser: section.session.perUser, total: section.session.total),
      refresh: section.session.refresh, takesPasswords: section.form, takesCertificates: section.clientCertificate)
  }
}
