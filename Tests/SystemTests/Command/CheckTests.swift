import Foundation
import TestSupport
import Testing

extension SystemTests {
  @Suite(.serialized) struct CheckTests {
    @Test func aGoodConfigurationIsGood() async throws {
      try await ServedGateway.with { served in
        let check = try await sallyport("check", "--config", served.file("sallyport.yaml"))
        #expect(check.status == 0 && check.errors.isEmpty, "\(check.transcript)")
        #expect(check.output.hasSuffix("1 listener(s), 1 route(s), 1 upstream(s): good\n"))
      }
    }

    @Test func allFaultsAreListedAtOnceEachWithItsPlace() async throws {
      let directory = TemporaryDirectory()
      let file = try directory.write(
        """
        apiVersion: sallyport.dev/v1alpha1
        kind: Gateway
        listeners:
        - name: main
          address: 127.0.0.1
          tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCaFile: client-ca.pem}
        authentication: {clientCertificates: {}}
        credentials:
        - name: front-proxy
          requestHeaders: {certificateFile: front-proxy.pem, privateKeyFile: front-proxy.key}
        upstreams:
        - name: kubernetes
          kind: kubernets
          servers: ["https://127.0.0.1:6443"]
          connectTimeout: 5
          caFile: server-ca.pem
        routes:
        - name: api
          upstream: kubernetes
          credential: front-proxy
          authenticate: [clientCertificate, password]
          anonymous: [readyz]
        audit: {directory: audit}

        """, to: "bad.yaml")
      let check = try await sallyport("check", "--config", file)
      #expect(check.status == 1 && check.output.isEmpty)
      let lines = check.errors.split(separator: "\n")
      for place in [
        "5:12: listeners[0].address:", "6:66: listeners[0].tls.clientCaFile:", "13:9: upstreams[0].kind:",
        "15:19: upstreams[0].connectTimeout:", "22:15: routes[0].anonymous[0]:",
      ] {
        #expect(lines.contains { $0.hasPrefix("\(file):\(place) ") }, "\(place) is missing in \(check.errors)")
      }
    }

    @Test func filesThatAreMissingAreListedToo() async throws {
      try await ServedGateway.with { served in
        for name in ["server.key", "front-proxy.pem", "client-ca.pem"] { try FileManager.default.removeItem(atPath: served.file(name)) }
        let check = try await sallyport("check", "--config", served.file("sallyport.yaml"))
        #expect(check.status == 1)
        for name in ["server.key", "front-proxy.pem", "client-ca.pem"] { #expect(check.errors.contains(name), "\(check.transcript)") }
      }
    }

    @Test(arguments: [
      ["check"], ["serve", "--config"], ["check", "--config", "a.yaml", "b.yaml"], ["demo", "--port", "many"], ["pki", "client"],
      ["password", "--group", "edit"], ["kubeconfig", "--server", "https://localhost", "--method", "magic"], ["nothing-of-the-kind"],
    ])
    func wrongUsageExitsWithTwo(_ arguments: [String]) async throws {
      let usage = try await run(Installation.sallyport, arguments)
      #expect(usage.status == 2 && usage.output.isEmpty, "\(usage.transcript)")
      #expect(usage.errors.contains("Usage: sallyport"), "\(usage.errors)")
    }

    @Test func helpIsNoFault() async throws {
      let help = try await sallyport("--help")
      #expect(help.status == 0)
      for command in ["serve", "check", "demo", "pki", "password", "kubeconfig"] { #expect(help.output.contains("  \(command) ")) }
    }
  }
}
