import Foundation
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportPracticeCluster

/// The machine's kubectl, or the one that the environment variable `KUBECTL` names, with a home of its own and nothing but
/// this cluster in it.
final class Kubectl: Sendable {
  struct Outcome: Sendable {
    let status: Int32
    let output: String
    let errors: String
  }

  let home: URL
  private let executable: URL
  private let environment: [String: String]

  /// - Throws: where there is no kubectl: its tests fail then and are not skipped
  init(_ fixture: Fixture, user: String = "anna", groups: [String] = ["system:masters"], environment: [String: String] = [:]) throws {
    self.environment = environment
    let named = ProcessInfo.processInfo.environment["KUBECTL"].map { [$0] }
    let found = (named ?? ["/usr/bin/kubectl", "/usr/local/bin/kubectl"]).first { FileManager.default.isExecutableFile(atPath: $0) }
    self.executable = URL(filePath: try #require(found, "kubectl is not installed"))
    self.home = FileManager.default.temporaryDirectory.appending(path: "kubectl-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: self.home, withIntermediateDirectories: true)
    let client = try fixture.pki.client(user, groups: groups)
    func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
    let configuration = """
      apiVersion: v1
      kind: Config
      clusters: [{name: practice, cluster: {server: "\(fixture.cluster.url)", certificate-authority-data: \(base64(fixture.pki.serverAuthority.certificatePEM))}}]
      users: [{name: me, user: {client-certificate-data: \(base64(client.chainPEM)), client-key-data: \(base64(client.privateKeyPEM))}}]
      contexts: [{name: practice, context: {cluster: practice, user: me, namespace: dev}}]
      current-context: practice
      """
    try configuration.write(to: self.home.appending(path: "config"), atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(at: self.home) }

  func write(_ text: String, to name: String) throws -> String {
    let file = self.home.appending(path: name)
    try text.write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }

  /// Runs kubectl to its end.
  @discardableResult
  func run(_ arguments: String...) async throws -> Outcome {
    let running = try self.start(arguments)
    return await running.outcome()
  }

  /// Runs kubectl, which must succeed, and returns what it printed.
  func output(_ arguments: String..., location: SourceLocation = #_sourceLocation) async throws -> String {
    let outcome = await (try self.start(arguments)).outcome()
    #expect(outcome.status == 0, "kubectl \(arguments.joined(separator: " ")): \(outcome.errors)", sourceLocation: location)
    return outcome.output
  }

  func start(_ arguments: [String]) throws -> Running {
    try Running(
      executable: self.executable, arguments: ["--kubeconfig", self.home.appending(path: "config").path] + arguments, home: self.home,
      environment: self.environment)
  }

  /// A kubectl that runs, its output going to files so that no pipe fills up.
  final class Running: Sendable {
    private let process: Process
    private let ended: AsyncStream<Int32>
    private let outputFile: URL
    private let errorFile: URL

    init(executable: URL, arguments: [String], home: URL, environment: [String: String]) throws {
      let id = UUID().uuidString
      self.outputFile = home.appending(path: "\(id).out")
      self.errorFile = home.appending(path: "\(id).err")
      for file in [self.outputFile, self.errorFile] { try Data().write(to: file) }
      let process = Process()
      process.executableURL = executable
      process.arguments = arguments
      process.environment = ["HOME": home.path, "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try FileHandle(forWritingTo: self.outputFile)
      process.standardError = try FileHandle(forWritingTo: self.errorFile)
      let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
      process.terminationHandler = { process in
        continuation.yield(process.terminationStatus)
        continuation.finish()
      }
      self.ended = stream
      self.process = process
      try process.run()
    }

    var output: String { (try? String(contentsOf: self.outputFile, encoding: .utf8)) ?? "" }

    func outcome() async -> Outcome {
      var status: Int32 = -1
      for await ending in self.ended { status = ending }
      return Outcome(status: status, output: self.output, errors: (try? String(contentsOf: self.errorFile, encoding: .utf8)) ?? "")
    }

    /// Waits until the output satisfies a condition; `false` after a minute.
    func waits(until condition: (String) -> Bool) async throws -> Bool {
      for _ in 0..<1200 {
        if condition(self.output) { return true }
        try await Task.sleep(for: .milliseconds(50))
      }
      return false
    }

    func stop() async -> Outcome {
      self.process.terminate()
      return await self.outcome()
    }
  }
}
