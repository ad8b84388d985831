import ArgumentParser
import Foundation
import SallyportAuditReview

struct AuditVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check that the audit log is the one that was written.",
    discussion: """
      Finds records that were changed, removed, added, moved or cut off, a chain that was written anew, and files that are missing
      or were put back to an older state. Exit status 0: nothing of that. 3: something, each with its place. 1: the log or the key
      cannot be read.

      Without --public-key the key is taken from the directory. That shows damage and tampering by anybody who does not know how
      the log is signed; keep a copy of checkpoint.pub elsewhere and give it, and nobody without the private key gets by. Each run
      prints an anchor; one that was noted elsewhere and is given with --anchor proves that the log was not put back as a whole.
      """)

  @Argument(help: "The audit directory, or files of it.", completion: .file())
  var paths: [String]

  @Option(name: .customLong("public-key"), help: "The public key of the log, PEM; repeat where it was changed.", completion: .file())
  var publicKeys: [String] = []

  @Option(name: .customLong("anchor"), help: "A record that the log must hold, as an earlier run printed it; repeat for more.")
  var anchors: [String] = []

  @Option(help: "text or json.")
  var output = OutputForm.text

  func validate() throws {
    guard !self.paths.isEmpty else { throw ValidationError("Name the audit directory.") }
    for anchor in self.anchors where ChainAnchor(anchor) == nil {
      throw ValidationError("--anchor \(anchor): is no anchor; an earlier run of verify printed it as `requests:1234:9f86…`")
    }
  }

  func run() throws {
    let report = try Faults.reported {
      let progress = ProgressLine()
      defer { progress.clear() }
      return try LogVerifier(publicKeys: self.keys(), anchors: self.anchors.compactMap { ChainAnchor($0) }) { progress.show($0, of: $1) }
        .verify(self.paths)
    }
    switch self.output {
    case .json: print(try OutputForm.encode(report))
    case .text: print(report.text, terminator: "")
    }
    guard report.isGood else { throw Exit.denied }
  }

  private func keys() throws -> [String] {
    if !self.publicKeys.isEmpty {
      return try self.publicKeys.map { path in
        guard let content = FileManager.default.contents(atPath: path) else { throw ReviewFault("\(path): cannot be read") }
        return String(decoding: content, as: UTF8.self)
      }
    }
    let keys = self.paths.compactMap { LogVerifier.publicKey(in: $0) }
    guard !keys.isEmpty else { throw ReviewFault("there is no checkpoint.pub here; give the log's public key with --public-key") }
    return keys
  }
}
