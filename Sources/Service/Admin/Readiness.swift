import NIOConcurrencyHelpers

/// What a readiness check finds.
public enum ReadinessState: Sendable, Equatable {
  case ok
  /// All is well, and this is how well.
  case noted(String)
  /// The gateway serves, and somebody should look: shown, and not counted against it.
  case warning(String)
  /// The gateway should get no requests. The reason is for the operator, who alone sees the admin listener.
  case failed(String)
}

/// The checks behind `/readyz`. Whoever has something to say adds a check once, when the gateway is put together:
/// ```swift
/// readiness.add("catalogue") { status.isLoaded ? .ok : .failed("the API description of kubernetes was never read") }
/// ```
/// A check is asked with each probe, on an event loop: it says what is known, and waits for nothing.
public final class Readiness: Sendable {
  public typealias Check = @Sendable () -> ReadinessState

  private let checks = NIOLockedValueBox<[(name: String, check: Check)]>([])

  public init() {}

  /// Adds a check, shown behind those that were added before. A name is lower-case letters, digits and `-`; a check that is
  /// added under the name of another takes its place.
  public func add(_ name: String, _ check: @escaping Check) {
    self.checks.withLockedValue { checks in
      if let index = checks.firstIndex(where: { $0.name == name }) {
        checks[index] = (name, check)
      } else {
        checks.append((name, check))
      }
    }
  }

  /// What all checks find now.
  func report() -> HealthReport {
    HealthReport(results: self.checks.withLockedValue { $0 }.map { HealthReport.Result(name: $0.name, state: $0.check()) })
  }
}

/// What the checks of a health endpoint found, and how it is written.
///
/// The form is kube-apiserver's (k8s.io/apiserver/pkg/server/healthz), whose `reason withheld` is our reason: a line for each
/// check, then the verdict.
struct HealthReport {
  struct Result {
    let name: String
    let state: ReadinessState
  }

  let results: [Result]

  func isGood(without excluded: Set<String>) -> Bool {
    self.results.allSatisfy { result in
      if case .failed = result.state { excluded.contains(result.name) } else { true }
    }
  }

  /// - Parameter endpoint: `readyz`, `livez`
  func text(_ endpoint: String, excluding excluded: Set<String>) -> String {
    var text = ""
    for result in self.results {
      if excluded.contains(result.name) {
        text += "[+]\(result.name) excluded: ok\n"
        continue
      }
      switch result.state {
      case .ok: text += "[+]\(result.name) ok\n"
      case .noted(let note): text += "[+]\(result.name) ok: \(Self.line(note))\n"
      case .warning(let reason): text += "[+]\(result.name) ok, but: \(Self.line(reason))\n"
      case .failed(let reason): text += "[-]\(result.name) failed: \(Self.line(reason))\n"
      }
    }
    let unknown = excluded.subtracting(self.results.map(\.name)).sorted()
    if !unknown.isEmpty { text += "warn: some health checks cannot be excluded: no matches for \(unknown.joined(separator: ","))\n" }
    return text + "\(endpoint) check \(self.isGood(without: excluded) ? "passed" : "failed")\n"
  }

  /// A reason never breaks the form of a line of its own.
  private static func line(_ reason: String) -> String {
    String(reason.map { $0.isNewline ? ";" : $0 })
  }
}
