import Foundation
import NIOCore

@testable import SallyportAudit

/// Records of a few bytes for tests of the log, and what is read back of them.
enum ChainedLines {
  /// A record that holds a text.
  static func record(_ text: String) -> ByteBuffer { self.records([text]) }

  static func records(_ texts: [String]) -> ByteBuffer {
    ByteBuffer(string: texts.map { "{\"auditID\":\"\($0)\",\"annotations\":{\"text\":\"\($0)\"}}\n" }.joined())
  }

  /// Looks at every line's link, in a way of its own: with a JSON reader and the rule of the manual.
  ///
  /// - Returns: the annotations of each line
  static func read(_ text: String) throws -> [[String: String]] {
    try text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["annotations"] as? [String: String] ?? [:]
    }
  }
}

extension TemporaryDirectory {
  /// The texts of the records in a file, which must be whole lines; the log's own events are left out.
  func records(_ name: String) throws -> [String] {
    try ChainedLines.read(self.lines(name).joined(separator: "\n")).compactMap { $0["text"] }
  }

  /// The log's own events in a file.
  func events(_ name: String) throws -> [String] {
    try ChainedLines.read(self.lines(name).joined(separator: "\n")).compactMap { $0["sallyport.dev/event"] }
  }
}
