import Foundation
import TestSupport
import Testing

/// A kubectl. Every test that uses it runs with each of them: the machine's own, and Debian's, the oldest that has to work.
enum Kubectl: String, CaseIterable, CustomTestStringConvertible {
  case installed
  case debian

  var testDescription: String { self.rawValue }

  private var path: String {
    switch self {
    case .installed: "kubectl"
    case .debian: Installation.debianKubectl
    }
  }

  /// Starts it with a kubeconfig, and a home of its own: the discovery cache of another test would hide a fault.
  func start(
    _ arguments: [String], kubeconfig: String, input: String? = nil, environment: [String: String] = [:]
  ) throws -> RunningTool {
    let own = ["HOME": kubeconfig + ".home.\(self.rawValue)", "KUBECONFIG": "", "KUBE_EDITOR": "false"]
    return try RunningTool(
      self.path, ["--kubeconfig", kubeconfig] + arguments, environment: own.merging(environment) { $1 },
      input: input.map { Data($0.utf8) })
  }

  func run(
    _ arguments: [String], kubeconfig: String, input: String? = nil, environment: [String: String] = [:]
  ) async throws -> ToolRun {
    try await self.start(arguments, kubeconfig: kubeconfig, input: input, environment: environment).result()
  }
}

/// kubectl as one person of the demo.
struct DemoKubectl {
  let kubectl: Kubectl
  let demo: DemoProcess

  init(_ kubectl: Kubectl) throws {
    self.kubectl = kubectl
    self.demo = try #require(DemoProcess.current, "the suite has no demo")
  }

  private func kubeconfig(_ person: DemoProcess.Person) -> String { self.demo.file("\(person).kubeconfig") }

  /// Runs it, which must succeed, and returns what it printed.
  func callAsFunction(
    as person: DemoProcess.Person, _ arguments: String..., input: String? = nil, location: SourceLocation = #_sourceLocation
  ) async throws -> String {
    try await self(as: person, arguments, input: input, location: location)
  }

  func callAsFunction(
    as person: DemoProcess.Person, _ arguments: [String], input: String? = nil, location: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let run = try await self.kubectl.run(arguments, kubeconfig: self.kubeconfig(person), input: input)
    #expect(run.status == 0, "kubectl \(arguments.joined(separator: " ")): \(run.transcript)", sourceLocation: location)
    return run.output
  }

  /// Runs it, which must fail, and returns what it complained.
  func complaint(
    as person: DemoProcess.Person, _ arguments: String..., input: String? = nil, location: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let run = try await self.kubectl.run(arguments, kubeconfig: self.kubeconfig(person), input: input)
    #expect(run.status == 1, "kubectl \(arguments.joined(separator: " ")): \(run.transcript)", sourceLocation: location)
    return run.errors
  }

  func start(as person: DemoProcess.Person, _ arguments: String...) throws -> RunningTool {
    try self.kubectl.start(arguments, kubeconfig: self.kubeconfig(person))
  }
}
