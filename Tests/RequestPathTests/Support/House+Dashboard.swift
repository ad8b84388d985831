import Foundation
import NIOCore
import NIOPosix
import SallyportIssuer
import SallyportPKI
import SallyportPracticeDashboard
import TestSupport
import Testing

extension House {
  /// Secrets are for the group `security` alone.
  static let secretsPolicy = """
    apiVersion: sallyport.dev/v1alpha1
    kind: AccessPolicy
    metadata: {name: secrets-are-private}
    rules:
    - name: no-secret-reads
      deny: [{resources: [secrets]}]
      unless: {groups: [security]}
      message: Secrets are not readable through this gateway.
    """

  /// A house with the practice dashboard at `/dashboard`, which asks the API through the gateway. People sign in by everything.
  ///
  /// - Parameters:
  ///   - isConnected: whether the dashboard has been told where the API is
  ///   - policy: an AccessPolicy
  static func withDashboard(
    isConnected: Bool = true, policy: String = House.secretsPolicy, _ body: (House) async throws -> Void
  ) async throws {
    let pki = try TestPKI()
    let log = LogCollector()
    let dashboard = try await PracticeDashboard.start(
      .init(serverCertificate: pki.server.chainPEM, serverKey: pki.server.privateKeyPEM, basePath: "/dashboard"),
      group: MultiThreadedEventLoopGroup.singleton, logger: log.logger)
    var plan = House.Plan()
    plan.prepare = { _, directory in
      _ = try KeyRotation(KeyDirectory(directory.file("issuer")), tokenLifetime: 300).rotate(.es256, at: Date())
    }
    plan.files = ["dashboard-ca.pem": pki.serverAuthority.certificatePEM, "policy.yaml": policy]
    plan.authentication = ["signIn: {name: Example, form: true, clientCertificate: true}"]
    plan.sections = [
      #"issuer: {url: "https://gateway.test/.sallyport", signingKeysDirectory: issuer}"#, "policy: {files: [policy.yaml]}",
    ]
    plan.credentials = ["{name: dashboard-token, idToken: {audience: sallyport}}"]
    plan.upstreams = [
      #"{name: dashboard, servers: ["https://127.0.0.1:\#(dashboard.port)"], caFile: dashboard-ca.pem, serverName: localhost}"#
    ]
    plan.routesBefore = [
      "{name: dashboard, match: {path: /dashboard}, upstream: dashboard, credential: dashboard-token, "
        + "authenticate: [session, clientCertificate, password]}"
    ]
    plan.route = ["match: {path: /}", "authenticate: [clientCertificate, password, token]"]
    do {
      try await House.with(plan) { house in
        if isConnected {
          try dashboard.ask(api: "https://127.0.0.1:\(house.port)", trusting: house.pki.serverAuthority.certificatePEM)
        }
        try await body(house)
      }
      await dashboard.close()
    } catch {
      await dashboard.close()
      throw error
    }
  }

  /// Who asked the API, what, and what became of it.
  func apiRecords() throws -> [AuditLine] {
    try self.records().filter { $0.stage == "ResponseComplete" && $0.fact("route") == "api" }
  }
}
