import Foundation
import TestSupport
import Testing

/// `sallyport demo` as somebody at a terminal starts it, in a process of its own.
final class DemoProcess: Sendable {
  /// The demo of the suite that runs.
  @TaskLocal static var current: DemoProcess?

  private let tool: RunningTool
  private let directory = TemporaryDirectory()
  let invitation: String
  let port: Int
  /// Bob's.
  let password: String

  init() async throws {
    let tool = try RunningTool(Installation.sallyport, ["demo", "--port", "0", "--directory", self.directory.path])
    let invitation = try await tool.wait { $0.contains("Ctrl-C ends it.") }
    self.tool = tool
    self.invitation = invitation
    let port = try #require(try #/listens on https://127\.0\.0\.1:(\d+)/#.firstMatch(in: invitation))
    self.port = try #require(Int(port.1))
    self.password = String(try #require(try #/-u bob:(\w+)/#.firstMatch(in: invitation)).1)
  }

  func file(_ name: String) -> String { self.directory.file(name) }
  func read(_ name: String) throws -> String { try self.directory.read(name) }
  var url: String { "https://127.0.0.1:\(self.port)" }
  /// What the demo said on its standard error.
  var log: String { self.tool.errors }

  func stop() async throws -> ToolRun {
    self.tool.signal(SIGTERM)
    return try await self.tool.result()
  }

  /// The log's records, the oldest first.
  func auditRecords(_ series: String = "requests") throws -> [AuditLine] {
    try AuditLine.read(self.file("audit/\(series).jsonl"))
  }

  /// curl, as one person of the demo.
  func curl(as person: Person, _ arguments: String..., input: Data? = nil) async throws -> ToolRun {
    // HTTP/1.1 unless the arguments say otherwise: of two such options curl takes the last.
    var all = ["--silent", "--show-error", "--max-time", "60", "--http1.1", "--cacert", self.file("server-ca.pem")]
    switch person {
    case .alice, .carol: all += ["--cert", self.file("\(person).pem"), "--key", self.file("\(person).key")]
    case .bob: all += ["--user", "bob:\(self.password)"]
    case .nobody: break
    }
    return try await run("curl", all + arguments, input: input)
  }

  enum Person: String {
    /// A certificate; the group `view`.
    case alice
    /// A password; the group `edit`.
    case bob
    /// A certificate; the groups `admin` and `impersonator`.
    case carol
    case nobody
  }
}

/// Gives a suite one demo for all its tests.
struct DemoTrait: SuiteTrait, TestScoping {
  func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
    let demo = try await DemoProcess()
    try await DemoProcess.$current.withValue(demo) { try await function() }
    let end = try await demo.stop()
    #expect(end.status == 0, "the demo ends in order: \(end.transcript)")
  }
}

extension Trait where Self == DemoTrait {
  /// One demo for all tests of the suite.
  static var demo: DemoTrait { DemoTrait() }
}
