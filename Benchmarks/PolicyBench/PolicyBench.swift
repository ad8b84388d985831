import CAllocationCount
import Foundation
import SallyportCore
import SallyportPolicy
import SallyportWire

/// Measures what a decision costs with 10 to 10,000 rules, and what it costs to load a cluster's API description.
///
///     sallyport-policy-bench [OPENAPI-DOCUMENT]
@main
struct PolicyBench {
  static func main() throws {
    let document = CommandLine.arguments.dropFirst().first ?? "../shared/kubernetes/openapi/v2.json"
    let catalogue = try self.loadCatalogue(document)
    try self.measureDecisions(catalogue)
  }

  private static func loadCatalogue(_ path: String) throws -> Catalogue? {
    guard let data = FileManager.default.contents(atPath: path) else {
      print("\(path) is not there: decisions are measured without an API description.\n")
      return nil
    }
    let bytes = [UInt8](data)
    // Once to have everything that is set up once.
    _ = try OpenAPIReader().read(bytes, name: path)
    let before = ResidentMemory.now()
    var catalogue: Catalogue?
    let milliseconds = try (0..<5).map { _ in
      try Stopwatch.nanoseconds { catalogue = try OpenAPIReader().read(bytes, name: path).catalogue } / 1e6
    }.sorted()[2]
    let after = ResidentMemory.now()
    guard let catalogue else { return nil }
    print("| catalogue | |")
    print("|---|---|")
    print("| document | \(String(format: "%.1f", Double(bytes.count) / 1e6)) MB, \(catalogue.operations.count) operations |")
    print("| read | \(String(format: "%.0f", milliseconds)) ms |")
    print("| resident memory, before and after five readings | \(before) MB, \(after) MB |")
    let compiled = try Stopwatch.nanoseconds {
      _ = PolicyMatcher(try Workload.policies(rules: 100), catalogue: catalogue, reading: .kubernetes)
    }
    print("| 100 rules read and compiled against it | \(String(format: "%.0f", compiled / 1e6)) ms |\n")
    return catalogue
  }

  private static func measureDecisions(_ catalogue: Catalogue?) throws {
    let questions = try Workload.questions()
    print("Nanoseconds a decision, median of 9 runs of 20,000; allocations a decision in brackets.\n")
    print("| rules | compiled in | " + questions.map(\.name).joined(separator: " | ") + " |")
    print("|" + String(repeating: "---|", count: questions.count + 2))
    for count in [10, 100, 1_000, 10_000] {
      let documents = try Workload.policies(rules: count)
      var matcher: PolicyMatcher?
      let compiling = Stopwatch.nanoseconds { matcher = PolicyMatcher(documents, catalogue: catalogue, reading: .kubernetes) }
      guard let matcher else { return }
      let cells = questions.map { self.cell(matcher, $0.question) }
      print("| \(count) | \(String(format: "%.1f", compiling / 1e6)) ms | \(cells.joined(separator: " | ")) |")
    }
  }

  private static func cell(_ matcher: PolicyMatcher, _ question: PolicyQuestion) -> String {
    let rounds = 20_000
    var denied = 0
    func round() {
      for _ in 0..<rounds {
        if case .deny = matcher.decide(question) { denied += 1 }
      }
    }
    round()
    let before = allocation_count()
    round()
    let allocations = Double(allocation_count() - before) / Double(rounds)
    let nanoseconds = (0..<9).map { _ in Stopwatch.nanoseconds(round) / Double(rounds) }.sorted()[4]
    precondition(denied == 0 || denied == rounds * 11, "a decision changed between two rounds")
    return "\(String(format: "%.0f", nanoseconds)) (\(allocations.rounded() == allocations ? String(Int(allocations)) : "\(allocations)"))"
  }
}

enum Stopwatch {
  static func nanoseconds(_ work: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let duration = try clock.measure(work)
    return Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) / 1e9
  }
}

enum ResidentMemory {
  /// In megabytes, from /proc/self/status.
  static func now() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return (Int(line.filter(\.isNumber)) ?? 0) / 1024
  }
}
