public import Foundation
import Synchronization

/// What a tool that a test ran to its end left behind: kubectl, curl, openssl, python.
public struct ToolRun: Sendable {
  /// The exit status; 128 and the signal's number for a tool that a signal ended.
  public let status: Int32
  public let output: String
  public let errors: String

  /// Everything, for a failure's message.
  public var transcript: String { "exit \(self.status)\n\(self.output)\(self.errors)" }
}

/// Why a tool could not be run to its end.
public struct ToolFailure: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// A tool that runs beside a test: a gateway, `kubectl get --watch`. It is ended by its id when the object goes.
///
/// Its input comes from a file and its outputs go to files: no pipe fills up while nobody reads, and all that it printed is
/// there the moment it has ended, whoever may have inherited its descriptors.
public final class RunningTool: Sendable {
  private let process: Mutex<Process>
  private let files: TemporaryDirectory
  private let command: String
  public let pid: Int32

  /// Starts a tool.
  ///
  /// - Parameters:
  ///   - tool: a path, or a name that is looked up in `PATH`
  ///   - environment: added to the test's own
  ///   - input: the standard input; without it the tool gets none
  /// - Throws: ``ToolFailure`` when there is no such tool: a peer that is missing fails the test.
  public init(
    _ tool: String, _ arguments: [String], environment: [String: String] = [:], input: Data? = nil, directory: String? = nil
  ) throws {
    let files = TemporaryDirectory()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try Self.find(tool))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    if let input {
      try input.write(to: URL(fileURLWithPath: files.file("input")))
      process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: files.file("input")))
    } else {
      process.standardInput = FileHandle.nullDevice
    }
    try files.write("", to: "output")
    try files.write("", to: "errors")
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: files.file("output")))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: files.file("errors")))
    try process.run()
    self.pid = process.processIdentifier
    self.files = files
    self.command = "\(tool) \(arguments.joined(separator: " "))"
    self.process = Mutex(process)
  }

  deinit { self.signal(SIGKILL) }

  /// What the tool has printed so far.
  public var output: String { self.text("output") }
  public var errors: String { self.text("errors") }
  public var isRunning: Bool { self.process.withLock { $0.isRunning } }

  private func text(_ name: String) -> String {
    String(decoding: FileManager.default.contents(atPath: self.files.file(name)) ?? Data(), as: UTF8.self)
  }

  /// Sends a signal, if the tool still runs.
  public func signal(_ signal: Int32) {
    self.process.withLock { process in
      if process.isRunning { kill(process.processIdentifier, signal) }
    }
  }

  /// Waits until `condition` holds for what was printed on the standard output, and returns that.
  public func wait(seconds: Double = 60, until condition: (_ output: String) -> Bool) async throws -> String {
    try await self.wait(seconds: seconds, for: { self.output }, until: condition)
  }

  /// Waits until `condition` holds for what was printed on the standard error, and returns that.
  public func waitForErrors(seconds: Double = 60, until condition: (_ errors: String) -> Bool) async throws -> String {
    try await self.wait(seconds: seconds, for: { self.errors }, until: condition)
  }

  private func wait(seconds: Double, for text: () -> String, until condition: (String) -> Bool) async throws -> String {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      // Asked before the text is read: what it printed last counts, too.
      let isRunning = self.isRunning
      let printed = text()
      if condition(printed) { return printed }
      guard isRunning else { throw ToolFailure("`\(self.command)` ended early: \(self.output)\(self.errors)") }
      guard ContinuousClock.now < end else {
        throw ToolFailure("`\(self.command)` did not print it within \(seconds) s: \(self.output)\(self.errors)")
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Waits for the tool's end.
  public func result(seconds: Double = 120) async throws -> ToolRun {
    let end = ContinuousClock.now + .seconds(seconds)
    while self.isRunning {
      guard ContinuousClock.now < end else {
        self.signal(SIGKILL)
        throw ToolFailure("`\(self.command)` still ran after \(seconds) s: \(self.output)\(self.errors)")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    let status = self.process.withLock { $0.terminationReason == .uncaughtSignal ? 128 + $0.terminationStatus : $0.terminationStatus }
    return ToolRun(status: status, output: self.output, errors: self.errors)
  }

  private static func find(_ tool: String) throws -> String {
    if tool.contains("/") {
      guard FileManager.default.isExecutableFile(atPath: tool) else { throw ToolFailure("\(tool) is missing: run `make test-peers`") }
      return tool
    }
    for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
      let path = "\(folder)/\(tool)"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw ToolFailure("\(tool) is not installed: run `make test-peers`")
  }
}

/// Runs a tool to its end.
public func run(
  _ tool: String, _ arguments: [String], environment: [String: String] = [:], input: Data? = nil, directory: String? = nil,
  seconds: Double = 120
) async throws -> ToolRun {
  try await RunningTool(tool, arguments, environment: environment, input: input, directory: directory).result(seconds: seconds)
}
