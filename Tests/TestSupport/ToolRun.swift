public import Foundation
import Synchronization

/// A tool of the system that a test runs to its end: kubectl, curl, openssl, python.
public struct ToolRun: Sendable {
  public let status: Int32
  public let output: String
  public let errors: String

  /// Both outputs, for a failure's message.
  public var transcript: String { "exit \(self.status)\n\(self.output)\(self.errors)" }
}

/// Why a tool could not be run to its end.
public struct ToolFailure: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// A tool that runs beside a test: a gateway, `kubectl get --watch`. It is ended by its id when the object goes.
public final class RunningTool: Sendable {
  private let process: Mutex<Process>
  private let collected: Collected
  public let pid: Int32

  private final class Collected: Sendable {
    let output = Mutex<Data>(Data())
    let errors = Mutex<Data>(Data())
  }

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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try Self.find(tool))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    let collected = Collected()
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    output.fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil } else { collected.output.withLock { $0.append(data) } }
    }
    errors.fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil } else { collected.errors.withLock { $0.append(data) } }
    }
    if let input {
      let pipe = Pipe()
      process.standardInput = pipe
      try process.run()
      pipe.fileHandleForWriting.write(input)
      try pipe.fileHandleForWriting.close()
    } else {
      process.standardInput = FileHandle.nullDevice
      try process.run()
    }
    self.pid = process.processIdentifier
    self.collected = collected
    self.process = Mutex(process)
  }

  deinit { self.signal(SIGKILL) }

  /// What the tool has printed so far.
  public var output: String { self.collected.output.withLock { String(decoding: $0, as: UTF8.self) } }
  public var errors: String { self.collected.errors.withLock { String(decoding: $0, as: UTF8.self) } }
  public var isRunning: Bool { self.process.withLock { $0.isRunning } }

  /// Sends a signal, if the tool still runs.
  public func signal(_ signal: Int32) {
    self.process.withLock { process in
      if process.isRunning { kill(process.processIdentifier, signal) }
    }
  }

  /// Waits until `condition` holds for what was printed, and returns the output.
  public func wait(seconds: Double = 20, until condition: @Sendable (_ output: String) -> Bool) async throws -> String {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      let output = self.output
      if condition(output) { return output }
      if !self.isRunning {
        try await Task.sleep(for: .milliseconds(100))
        if condition(self.output) { return self.output }
        throw ToolFailure("the tool ended early: \(self.output)\(self.errors)")
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw ToolFailure("not seen within \(seconds) s: \(self.output)\(self.errors)")
  }

  /// Waits for the tool's end.
  public func result(seconds: Double = 60) async throws -> ToolRun {
    let end = ContinuousClock.now + .seconds(seconds)
    while self.isRunning {
      guard ContinuousClock.now < end else {
        self.signal(SIGKILL)
        throw ToolFailure("still running after \(seconds) s: \(self.output)\(self.errors)")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    // The handlers may still hold the last bytes.
    try await Task.sleep(for: .milliseconds(30))
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
  seconds: Double = 60
) async throws -> ToolRun {
  try await RunningTool(tool, arguments, environment: environment, input: input, directory: directory).result(seconds: seconds)
}
