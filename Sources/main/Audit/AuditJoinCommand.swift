import ArgumentParser
import Foundation
import SallyportAuditReview

struct AuditJoinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "Hold the audit log against the API server's own.",
    discussion: """
      Joins the records of both by auditID, compares user, URI, time and address, and lists what stands in one of them only: what
      is in the API server's log alone went around the proxy. Both logs should cover the same time; --since and --until cut them.
      Exit status 0: nothing went around the proxy and nothing differs. 3: something did.
      """)

  @Argument(help: "The audit directory, or files of it.", completion: .file())
  var paths: [String]

  @Option(
    name: .customLong("apiserver-log"), help: "The API server's audit log; repeat for its older files, oldest first.", completion: .file())
  var apiServerLogs: [String]

  @Flag(help: "The cluster's own components (users system:…) should come through the proxy, too.")
  var includeSystem = false

  @OptionGroup var time: TimeOptions

  @Option(help: "text or json; json is one object a line.")
  var output = OutputForm.text

  func run() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let result = try Faults.reported {
      let join = LogJoin(includesComponents: self.includeSystem, since: self.time.first, until: self.time.last)
      return try join.run(self.paths, apiServerLogs: self.apiServerLogs) { difference in
        switch self.output {
        case .text: print(difference.text)
        case .json: print((try? encoder.encode(difference)).map { String(decoding: $0, as: UTF8.self) } ?? "")
        }
      }
    }
    switch self.output {
    case .text: print(result.text, terminator: "")
    case .json: print(String(decoding: try encoder.encode(result), as: UTF8.self))
    }
    guard result.isGood else { throw Exit.denied }
  }
}
