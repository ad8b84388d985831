import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Loads by programs that are not ours: every answer right, and the audit log's count the client's.
  @Suite(.serialized) struct HTTP2LoadTests {
    private static let password = "load-and-unload"
    private static let requests = Effort.isNightly ? 100_000 : 3000

    /// Lets eve's password in beside her certificate: h2load presents no certificate.
    private static func withPassword(_ body: (ServedGateway) async throws -> Void) async throws {
      try await ServedGateway.with { configuration, directory in
        let users = try await sallyport("password", "--user", "lola", "--group", "view", input: "\(Self.password)\n")
        #expect(users.status == 0, "\(users.transcript)")
        try directory.write("users:\n" + users.output, to: "users.yaml")
        configuration.replace(
          "authentication: {clientCertificates: {}}",
          with: "authentication: {clientCertificates: {}, passwords: [{passwordFile: {file: users.yaml}}]}")
        configuration.replace("authenticate: [clientCertificate]", with: "authenticate: [clientCertificate, password]")
      } _: {
        try await body($0)
      }
    }

    @Test(arguments: ["h2", "http/1.1"]) func everyRequestOfH2loadIsAnsweredAndRecordedOnce(_ version: String) async throws {
      try await Self.withPassword { served in
        let credentials = Data("lola:\(Self.password)".utf8).base64EncodedString()
        var arguments = ["--requests=\(Self.requests)", "--clients=20", "--header=Authorization: Basic \(credentials)"]
        arguments += version == "h2" ? ["--max-concurrent-streams=25"] : ["--h1"]
        let load = try await run("h2load", arguments + [served.url + "/api/v1/namespaces/dev/pods/web-0"], seconds: 600)
        #expect(load.status == 0, "\(load.transcript)")
        let expected = "requests: \(Self.requests) total, \(Self.requests) started, \(Self.requests) done, \(Self.requests) succeeded,"
        #expect(load.output.contains("\(expected) 0 failed, 0 errored, 0 timeout"), "\(load.output)")
        #expect(load.output.contains("status codes: \(Self.requests) 2xx, 0 3xx, 0 4xx, 0 5xx"), "\(load.output)")
        #expect(load.output.contains("Application protocol: \(version)"), "\(load.output)")

        let records = try AuditLine.read(served.file("audit/requests.jsonl")).filter { $0.userAgent?.hasPrefix("h2load") == true }
        #expect(records.count == Self.requests)
        #expect(Set(records.map(\.auditID)).count == Self.requests)
        #expect(records.allSatisfy { $0.stage == "ResponseComplete" && $0.responseStatus?.code == 200 && $0.user?.username == "lola" })
        let protocols = Set(records.map { $0.annotations?["sallyport.dev/protocol"] })
        #expect(protocols == [version == "h2" ? "HTTP/2" : nil] || protocols == ["HTTP/1.1"], "\(protocols)")
        print("\(version): \(load.output.split(separator: "\n").first { $0.hasPrefix("finished in") } ?? "")")
      }
    }

    /// Many answers at once on one connection, none of them somebody else's.
    @Test func parallelTransfersOfCurlEachGetTheirOwnAnswer() async throws {
      try await ServedGateway.with { served in
        let names = (0..<3).map { "web-\($0)" }
        let files = (0..<60).map { served.file("answer-\($0)") }
        var arguments = ["--parallel", "--parallel-max", "60", "--http2", "--write-out", "%{http_code} %{http_version}\\n"]
        for (number, file) in files.enumerated() {
          arguments += ["--output", file, served.url + "/api/v1/namespaces/dev/pods/\(names[number % 3])"]
        }
        let curl = try await run("curl", served.throughGateway("/version") + ["--output", served.file("version")] + arguments)
        #expect(curl.status == 0, "\(curl.transcript)")
        #expect(curl.output.split(separator: "\n").filter { $0 == "200 2" }.count == 61, "\(curl.output)")
        for (number, file) in files.enumerated() {
          let answer = try String(contentsOfFile: file, encoding: .utf8)
          for name in names { #expect(answer.contains(#""name":"\#(name)""#) == (name == names[number % 3]), "answer \(number)") }
        }
        let records = try AuditLine.read(served.file("audit/requests.jsonl"))
        #expect(records.filter { $0.stage == "ResponseComplete" && $0.responseStatus?.code == 200 }.count == 61)
      }
    }
  }
}
