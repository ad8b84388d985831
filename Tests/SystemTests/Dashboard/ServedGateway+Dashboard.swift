import Foundation
import Logging
import NIOCore
import NIOPosix
import SallyportPKI
import SallyportPracticeDashboard
import TestSupport
import Testing

extension ServedGateway {
  /// A gateway with the practice dashboard at `/dashboard`, which asks the API through it by its users' tokens.
  ///
  /// - Parameters:
  ///   - authentication: keys of the section beside the certificates, in flow style
  ///   - policies: paths of policy files
  static func withDashboard(
    authentication: [String], policies: [String] = [], changing: Change = { _, _ in },
    _ body: (ServedGateway) async throws -> Void
  ) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var logger = Logger(label: "dashboard")
    logger.logLevel = .error
    let certificates = try TestPKI()
    let dashboard = try await PracticeDashboard.start(
      .init(
        serverCertificate: certificates.server.chainPEM, serverKey: certificates.server.privateKeyPEM, basePath: "/dashboard"),
      group: group, logger: logger)
    func stop() async throws {
      await dashboard.close()
      try await group.shutdownGracefully()
    }
    do {
      try await ServedGateway.with(
        policies: policies,
        changing: { configuration, directory in
          try directory.write(certificates.serverAuthority.certificatePEM, to: "dashboard-ca.pem")
          let keys = try await sallyport("keys", "rotate", "--directory", directory.file("issuer"))
          try #require(keys.status == 0, "\(keys.transcript)")
          configuration = configuration.replacing(
            "authentication: {clientCertificates: {}}",
            with: "authentication: {\((["clientCertificates: {}"] + authentication).joined(separator: ", "))}\n"
              + "issuer: {url: \"https://127.0.0.1:1/.sallyport\", signingKeysDirectory: issuer}"
          ).replacing("credentials:\n", with: "credentials:\n- {name: dashboard-token, idToken: {audience: sallyport}}\n")
            .replacing(
              "upstreams:\n",
              with: "upstreams:\n- {name: dashboard, servers: [\"https://127.0.0.1:\(dashboard.port)\"], caFile: dashboard-ca.pem}\n"
            ).replacing(
              "routes:\n",
              with: "routes:\n- {name: dashboard, match: {path: /dashboard}, upstream: dashboard, credential: dashboard-token, "
                + "authenticate: [session]}\n"
            ).replacing("authenticate: [clientCertificate]\n", with: "authenticate: [clientCertificate, token]\n")
          try await changing(&configuration, directory)
        }
      ) { served in
        try dashboard.ask(api: served.url, trusting: served.pki.serverAuthority.certificatePEM)
        try await body(served)
      }
    } catch {
      try await stop()
      throw error
    }
    try await stop()
  }

  /// A person's certificate with its key in the form that browsers take; its password is `secret`.
  func packed(_ name: String) async throws -> String {
    let packed = try await run(
      "openssl",
      [
        "pkcs12", "-export", "-in", self.file("\(name).pem"), "-inkey", self.file("\(name).key"), "-out", self.file("\(name).p12"),
        "-passout", "pass:secret",
      ])
    try #require(packed.status == 0, "\(packed.transcript)")
    return self.file("\(name).p12")
  }

  /// A folder for pictures; `SALLYPORT_PICTURES` keeps them for somebody to look at.
  func pictures(of suite: String) throws -> String {
    let folder = (ProcessInfo.processInfo.environment["SALLYPORT_PICTURES"] ?? self.file("pictures")) + "/" + suite
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }
}
