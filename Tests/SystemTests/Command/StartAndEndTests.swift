import Foundation
import SallyportPracticeCluster
import TestSupport
import Testing

extension SystemTests {
  /// How `serve` begins, how it refuses to, and how it ends.
  @Suite(.serialized) struct StartAndEndTests {
    /// Starts a second gateway from a changed configuration, which must not start, and returns what it complained.
    private func refusal(
      _ served: ServedGateway, _ change: (String) -> String, location: SourceLocation = #_sourceLocation
    ) async throws -> String {
      let configuration = try served.directory.read("sallyport.yaml")
      let changed = change(configuration)
      #expect(changed != configuration, "the change fits the configuration", sourceLocation: location)
      let file = try served.directory.write(changed, to: "changed.yaml")
      let run = try await sallyport("serve", "--config", file)
      #expect(run.status == 1, "\(run.transcript)", sourceLocation: location)
      #expect(run.output.isEmpty, sourceLocation: location)
      return run.errors
    }

    @Test func whatStandsInTheWayOfAStartIsSaidPlainly() async throws {
      try await ServedGateway.with { served in
        let elsewhere = { (text: String) in text.replacing("127.0.0.1:\(served.port)", with: "127.0.0.1:0") }
        let broken = try await self.refusal(served) { $0.replacing("caFile: server-ca.pem", with: "caFiles: server-ca.pem") }
        #expect(broken.contains("changed.yaml:15:3: upstreams[0].caFiles: is not a known key; did you mean `caFile`?"), "\(broken)")

        let portTaken = try await self.refusal(served) { $0.replacing("directory: audit", with: "directory: audit-2") }
        #expect(portTaken.contains("127.0.0.1:\(served.port)") && portTaken.contains("in use"), "\(portTaken)")

        let noDirectory = try await self.refusal(served) { elsewhere($0).replacing("directory: audit", with: "directory: server.pem") }
        #expect(noDirectory.contains(served.file("server.pem")), "\(noDirectory)")

        let inUse = try await self.refusal(served, elsewhere)
        #expect(inUse.contains("another process writes to the audit directory"), "\(inUse)")

        let noFile = try await self.refusal(served) { $0.replacing("certificateFile: server.pem", with: "certificateFile: absent.pem") }
        #expect(noFile.contains("changed.yaml:6:") && noFile.contains("listeners[0].tls.certificateFile: "), "\(noFile)")

        let noConfiguration = try await sallyport("serve", "--config", served.file("absent.yaml"))
        #expect(noConfiguration.status == 1 && noConfiguration.errors.contains("absent.yaml"), "\(noConfiguration.transcript)")

        // The one that runs has not noticed.
        #expect(try await run("curl", served.throughGateway("/version")).status == 0)
      }
    }

    @Test func terminationLetsARequestInFlightEnd() async throws {
      try await ServedGateway.with { served in
        let value = String(repeating: "slow ", count: 20_000)
        let body = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"in-flight"},"data":{"a":"\#(value)"}}"#
        let upload = try RunningTool(
          "curl",
          served.throughGateway("/api/v1/namespaces/dev/configmaps")
            + ["--limit-rate", "40k", "--header", "Expect:", "--header", "Content-Type: application/json", "--data-binary", "@-"],
          input: Data(body.utf8))
        try await eventually("the upload's beginning") {
          try served.directory.read("audit/requests.jsonl").contains(#""stage":"RequestReceived""#)
        }
        served.process.signal(SIGTERM)
        _ = try await served.process.waitForErrors { $0.contains("shutting down") }
        try await eventually("the closed door") { try self.isClosed(served.port) }
        #expect(upload.isRunning, "the upload was over too soon to prove anything")
        let answered = try await upload.result()
        #expect(answered.status == 0 && answered.output.contains(#""name":"in-flight""#), "\(answered.transcript)")
        let end = try await served.process.result()
        #expect(end.status == 0, "\(end.transcript)")
        let last = try #require(try AuditLine.read(served.file("audit/requests.jsonl")).last)
        #expect(last.stage == "ResponseComplete" && last.responseStatus?.code == 201)
      }
    }

    @Test func terminationCutsAWatchWhenItsGraceIsOver() async throws {
      try await ServedGateway.with { served in
        let watch = try RunningTool("curl", served.throughGateway("/api/v1/namespaces/dev/pods?watch=1") + ["--no-buffer"])
        _ = try await watch.wait { $0.contains("web-2") }
        let began = ContinuousClock.now
        served.process.signal(SIGTERM)
        let end = try await served.process.result()
        #expect(end.status == 0, "\(end.transcript)")
        #expect(ContinuousClock.now - began < .seconds(30), "ten seconds of grace, and what a busy machine adds")
        #expect(try await watch.result().status != 0, "a stream that was cut does not look complete")
        let last = try #require(try AuditLine.read(served.file("audit/requests.jsonl")).last)
        #expect(last.stage == "ResponseComplete" && last.verb == "watch")
        try await eventually("the end of the watch at the upstream") { served.cluster.openWatches == 0 }
      }
    }

    @Test func interruptionEndsTheDemo() async throws {
      let directory = TemporaryDirectory()
      let demo = try RunningTool(Installation.sallyport, ["demo", "--port", "0", "--directory", directory.file("demo")])
      _ = try await demo.wait { $0.contains("Ctrl-C ends it.") }
      demo.signal(SIGINT)
      #expect(try await demo.result().status == 0)
    }

    private func isClosed(_ port: Int) throws -> Bool {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
      }
      return result != 0 && errno == ECONNREFUSED
    }
  }
}
