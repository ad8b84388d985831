public import SallyportCore
public import SallyportStrictYAML

/// Why a gateway does not start, or keeps its old configuration: all that is wrong, at once.
public struct StartFault: Error, Sendable, CustomStringConvertible {
  /// One sentence each, with the file, line and key where they are known.
  public let messages: [String]

  public init(_ messages: [String]) { self.messages = messages }
  public init(_ problem: Problem) { self.messages = [problem.detail.isEmpty ? problem.message : problem.detail] }
  public init(_ faults: FileFaults) { self.messages = faults.faults.map(\.description) }

  public var description: String { self.messages.joined(separator: "\n") }
}

/// Gathers what is wrong, so that everything is reported at once.
struct FaultCollector {
  private var messages: [String] = []

  var isEmpty: Bool { self.messages.isEmpty }
  /// Each once: two may read the same file.
  var fault: StartFault {
    StartFault(self.messages.enumerated().filter { !self.messages[..<$0.offset].contains($0.element) }.map(\.element))
  }

  /// Runs a step; keeps its fault and goes on.
  mutating func collect<Value, Fault: Error>(_ step: () throws(Fault) -> Value) -> Value? {
    do {
      return try step()
    } catch {
      switch error {
      case let fault as StartFault: self.messages += fault.messages
      case let problem as Problem: self.messages += StartFault(problem).messages
      case let faults as FileFaults: self.messages += StartFault(faults).messages
      default: self.messages.append("\(error)")
      }
      return nil
    }
  }

  mutating func add(_ message: String) { self.messages.append(message) }
}
