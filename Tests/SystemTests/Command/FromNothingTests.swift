import Foundation
import Logging
import NIOCore
import NIOPosix
import SallyportPracticeCluster
import TestSupport
import Testing

extension SystemTests {
  /// An installation from nothing, with the commands and no file that a person would not write: as the README tells it.
  @Suite(.serialized) struct FromNothingTests {
    @Test func certificatesPasswordsAndKubeconfigsWorkTogether() async throws {
      let directory = TemporaryDirectory()
      let home = directory.path
      func command(_ arguments: String..., input: String? = nil) async throws -> ToolRun {
        let run = try await run(Installation.sallyport, arguments, input: input.map { Data($0.utf8) }, directory: home)
        #expect(run.status == 0, "sallyport \(arguments.joined(separator: " ")): \(run.transcript)")
        return run
      }

      _ = try await command("pki", "init")
      _ = try await command("pki", "server", "--name", "localhost", "--name", "127.0.0.1")
      _ = try await command("pki", "server", "--name", "kubernetes", "--name", "127.0.0.1", "--file", "cluster")
      let alice = try await command("pki", "client", "alice", "--group", "view")
      #expect(alice.errors.contains("password of the .p12 file"))
      let shown = try await command("pki", "show", "certs/alice.pem")
      #expect(shown.output.contains("alice") && shown.output.contains("view"))
      let entry = try await command("password", "--user", "bob", "--group", "edit", input: "correct horse battery staple\n")
      #expect(!entry.output.contains("horse"))
      try directory.write("users:\n" + entry.output, to: "certs/users.yaml")

      try await self.withCluster(directory) { cluster in
        try directory.write(
          """
          apiVersion: sallyport.dev/v1alpha1
          kind: Gateway
          listeners:
          - name: main
            address: 127.0.0.1:0
            tls: {certificateFile: certs/server.pem, privateKeyFile: certs/server.key, clientCAFile: certs/client-ca.pem}
          authentication:
            clientCertificates: {}
            passwords: [{passwordFile: {file: certs/users.yaml}}]
          credentials:
          - name: front-proxy
            requestHeaders: {certificateFile: certs/front-proxy.pem, privateKeyFile: certs/front-proxy.key}
          upstreams:
          - name: kubernetes
            kind: kubernetes
            servers: ["https://127.0.0.1:\(cluster.port)"]
            caFile: certs/server-ca.pem
            serverName: kubernetes
          routes:
          - {name: api, upstream: kubernetes, credential: front-proxy, authenticate: [clientCertificate, password]}
          audit: {directory: audit}

          """, to: "sallyport.yaml")
        _ = try await command("check", "--config", "sallyport.yaml")
        let gateway = try ServedGateway.serve(directory.file("sallyport.yaml"))
        let server = "https://127.0.0.1:\(try await ServedGateway.port(of: gateway))"

        let certificate = try await command(
          "kubeconfig", "--server", server, "--method", "certificate", "--ca-file", "certs/server-ca.pem", "--client-certificate",
          "certs/alice.pem", "--client-key", "certs/alice.key")
        try directory.write(certificate.output, to: "alice.kubeconfig")
        let embedded = try await command(
          "kubeconfig", "--server", server, "--method", "certificate", "--ca-file", "certs/server-ca.pem", "--client-certificate",
          "certs/alice.pem", "--client-key", "certs/alice.key", "--embed")
        try directory.write(embedded.output, to: "embedded.kubeconfig")
        let password = try await command(
          "kubeconfig", "--server", server, "--method", "basic", "--ca-file", "certs/server-ca.pem", "--username", "bob",
          "--password-stdin",
          input: "correct horse battery staple\n")
        try directory.write(password.output, to: "bob.kubeconfig")

        for kubectl in Kubectl.allCases {
          for name in ["alice", "embedded", "bob"] {
            let pods = try await kubectl.run(
              ["get", "pods", "-n", "dev", "-o", "name"], kubeconfig: directory.file("\(name).kubeconfig"))
            #expect(pods.output == "pod/web-0\npod/web-1\npod/web-2\n", "\(name) with \(kubectl): \(pods.transcript)")
          }
        }
        let users = Set(try AuditLine.read(directory.file("audit/requests.jsonl")).compactMap { $0.user?.username })
        #expect(users == ["alice", "bob"])
        gateway.signal(SIGTERM)
        #expect(try await gateway.result().status == 0)
      }
    }

    /// A practice cluster with the certificates that `sallyport pki` made.
    private func withCluster(_ directory: TemporaryDirectory, _ body: (PracticeCluster) async throws -> Void) async throws {
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      var logger = Logger(label: "cluster")
      logger.logLevel = .error
      let cluster = try await PracticeCluster.start(
        PracticeCluster.Configuration(
          serverCertificate: try directory.read("certs/cluster.pem"), serverKey: try directory.read("certs/cluster.key"),
          requestHeaderCA: try directory.read("certs/front-proxy-ca.pem")),
        group: group, logger: logger)
      do {
        try await body(cluster)
      } catch {
        await cluster.close()
        try await group.shutdownGracefully()
        throw error
      }
      await cluster.close()
      try await group.shutdownGracefully()
    }
  }
}
