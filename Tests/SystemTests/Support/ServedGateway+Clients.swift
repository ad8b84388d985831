import Foundation
import TestSupport
import Testing

extension ServedGateway {
  /// Starts a client of `Clients/` that comes as eve.
  func client(_ name: String, _ arguments: String...) throws -> RunningTool {
    try self.client(name, arguments)
  }

  func client(_ name: String, _ arguments: [String]) throws -> RunningTool {
    try RunningTool(
      Installation.python,
      [Installation.client(name), "\(self.port)", self.file("server-ca.pem"), self.file("eve.pem"), self.file("eve.key")] + arguments,
      environment: ["PYTHONDONTWRITEBYTECODE": "1"])
  }

  /// What a client said in the end, in the last line that it printed.
  static func report<Report: Decodable>(_ run: ToolRun, as type: Report.Type = Report.self) throws -> Report {
    #expect(run.status == 0, "\(run.transcript)")
    let line = try #require(run.output.split(separator: "\n").last, "\(run.transcript)")
    return try JSONDecoder().decode(Report.self, from: Data(line.utf8))
  }

  /// Tells a client to end, and returns what it said then.
  static func end<Report: Decodable>(_ client: RunningTool, as type: Report.Type = Report.self) async throws -> Report {
    client.signal(SIGTERM)
    return try self.report(try await client.result())
  }

  /// What a well-behaved client saw beside hostile ones.
  struct NeighbourReport: Decodable {
    let h1: Int
    let h2: Int
    let failures: [String]
    let failed: Int
    let slowest: Double
  }

  /// Runs `body` while somebody else asks over both protocols, on kept and on new connections; every answer must come.
  @discardableResult
  func withNeighbour(
    asking path: String = "/version", location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
  ) async throws -> NeighbourReport {
    let neighbour = try self.client("neighbour.py", path)
    _ = try await neighbour.wait { $0.contains("served\n") }
    try await body()
    let report: NeighbourReport = try await Self.end(neighbour)
    #expect(report.failed == 0, "the neighbour was not served: \(report.failures)", sourceLocation: location)
    #expect(report.h1 > 2 && report.h2 > 2, sourceLocation: location)
    #expect(self.process.isRunning, "\(self.process.errors)", sourceLocation: location)
    return report
  }

  /// Runs a test with a gateway that also leads to ``sink_server.py``, for whatever is below `/sink`.
  ///
  /// - Parameter listener: a line of the listener's configuration: `limits: {headTimeout: 3s}`
  static func withSink(listener: String? = nil, _ body: (ServedGateway) async throws -> Void) async throws {
    var sink: RunningTool?
    try await Self.with { configuration, directory in
      let server = try RunningTool(
        Installation.python, [Installation.client("sink_server.py"), directory.file("server.pem"), directory.file("server.key")])
      sink = server
      let port = try await server.wait { $0.hasSuffix("\n") }.split(separator: " ")[1].trimmingCharacters(in: .newlines)
      if let listener { configuration.replace("clientCAFile: client-ca.pem}\n", with: "clientCAFile: client-ca.pem}\n  \(listener)\n") }
      configuration.replace("credentials:\n", with: "credentials:\n- name: nobody\n  none: {}\n")
      configuration.replace(
        "upstreams:\n",
        with: """
          upstreams:
          - name: sink
            servers: [https://127.0.0.1:\(port)]
            caFile: server-ca.pem
            serverName: localhost
            connectTimeout: 60s

          """)
      configuration.replace(
        "routes:\n",
        with: """
          routes:
          - name: sink
            match: {path: /sink}
            upstream: sink
            credential: nobody
            authenticate: [clientCertificate]

          """)
    } _: {
      try await body($0)
    }
    sink?.signal(SIGKILL)
  }
}

/// How much the hostile clients do: what fits into a few minutes, or what a night is for.
enum Effort {
  static let isNightly = ProcessInfo.processInfo.environment["SALLYPORT_NIGHTLY"] == "1"
}
