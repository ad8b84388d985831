import Logging
import NIOCore
import Synchronization
import Testing

/// A value that several threads look at.
final class Observed<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  init(_ value: Value) { self.mutex = Mutex(value) }

  var value: Value { self.mutex.withLock { $0 } }
  func update(_ change: (inout Value) -> Void) { self.mutex.withLock { change(&$0) } }
}

/// Waits until a condition holds; the time is a bound on failure and nothing that is measured.
func eventually(
  _ what: String, within seconds: Int = 60, sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: @Sendable () async throws -> Bool
) async throws {
  let end = NIODeadline.now() + .seconds(Int64(seconds))
  while try await !condition() {
    guard NIODeadline.now() < end else {
      Issue.record("\(what) did not come about", sourceLocation: sourceLocation)
      throw DidNotComeAbout(what: what)
    }
    try await Task.sleep(for: .milliseconds(10))
  }
}

struct DidNotComeAbout: Error {
  let what: String
}

/// Keeps everything that is logged, at every level.
final class LogCollector: Sendable {
  private let lines = Observed<[String]>([])

  var text: String { self.lines.value.joined(separator: "\n") }

  var logger: Logger {
    var logger = Logger(label: "house") { _ in Handler(collector: self) }
    logger.logLevel = .trace
    return logger
  }

  private struct Handler: LogHandler {
    let collector: LogCollector
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { self.metadata[key] }
      set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      self.collector.lines.update { $0.append("\(event.level) \(event.message) \(self.metadata.merging(event.metadata ?? [:]) { $1 })") }
    }
  }
}
