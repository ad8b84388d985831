import Logging
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import SallyportPolicy

@testable import SallyportService

/// A server that describes itself as a test tells it to.
final class ScriptedDiscovery: DiscoveryTransport {
  struct Script {
    /// The documents by their keys: the paths that each describes, and its hash.
    var documents: [String: (hash: String, paths: [String])] = [:]
    /// Answers that take the place of documents.
    var answers: [String: DiscoveryAnswer] = [:]
    /// Targets that are not answered at all.
    var failures: [String: Problem] = [:]
    var isDown = false
    fileprivate(set) var asked: [String] = []
  }

  private let script: NIOLockedValueBox<Script>

  init(_ documents: [String: (hash: String, paths: [String])]) {
    self.script = NIOLockedValueBox(Script(documents: documents))
  }

  func change(_ body: (inout Script) -> Void) { self.script.withLockedValue(body) }

  /// What was asked for since this was last called.
  func takeAsked() -> [String] {
    self.script.withLockedValue { script in
      defer { script.asked = [] }
      return script.asked
    }
  }

  func get(_ target: String, ifNoneMatch etag: String, atMost limit: Int, within timeout: Duration) async throws(Problem) -> DiscoveryAnswer
  {
    let script = self.script.withLockedValue { script in
      script.asked.append(target)
      return script
    }
    if script.isDown { throw Problem("down", blame: .upstream, status: 503, message: "The server is down.") }
    if let failure = script.failures[target] { throw failure }
    if let answer = script.answers[target] {
      return answer.etag == etag && !etag.isEmpty ? DiscoveryAnswer(status: 304, etag: etag, body: []) : answer
    }
    if target == "/openapi/v3" {
      let entries = script.documents.map { #""\#($0.key)":{"serverRelativeURL":"/openapi/v3/\#($0.key)?hash=\#($0.value.hash)"}"# }
      return .text(#"{"paths":{\#(entries.joined(separator: ","))}}"#)
    }
    guard let document = script.documents[String(target.dropFirst("/openapi/v3/".count))] else { return .text("", status: 404) }
    return .document(document.paths)
  }
}

extension DiscoveryAnswer {
  static func text(_ text: String, status: Int = 200, etag: String = "") -> Self {
    Self(status: status, etag: etag, body: Array(text.utf8))
  }

  /// A document that can GET each of the paths.
  static func document(_ paths: [String], etag: String = "") -> Self {
    let paths = paths.map { #""\#($0)":{"get":{"responses":{}}}"# }.joined(separator: ",")
    return .text(#"{"openapi":"3.0.0","paths":{\#(paths)}}"#, etag: etag)
  }
}

/// Time that passes when a test says so.
final class HandClock: Sendable {
  private let time = NIOLockedValueBox(NIODeadline.uptimeNanoseconds(1_000_000_000_000))

  func advance(by amount: TimeAmount) { self.time.withLockedValue { $0 = $0 + amount } }
  var now: @Sendable () -> NIODeadline { { self.time.withLockedValue { $0 } } }
}

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
