import ArgumentParser
import Foundation
import SallyportAuditReview

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Review the audit log.", subcommands: [AuditVerifyCommand.self, AuditPublicKeyCommand.self])
}

/// How far a long reading has come, on a terminal alone.
final class ProgressLine {
  private let isShown = isatty(FileHandle.standardError.fileDescriptor) == 1
  private var last = ContinuousClock.now

  func show(_ read: Int, of total: Int) {
    guard self.isShown, ContinuousClock.now - self.last > .milliseconds(200), total > 0 else { return }
    self.last = .now
    self.write("\r\(read * 100 / total) % of \(total / 1_048_576) MiB")
  }

  func clear() {
    if self.isShown { self.write("\r\u{1B}[K") }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// Output of a command: for people, or as JSON for programs.
enum OutputForm: String, ExpressibleByArgument, CaseIterable {
  case text, json

  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
