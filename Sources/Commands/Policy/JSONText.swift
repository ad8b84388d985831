import Foundation

/// What commands print with `--output json`.
enum JSONText {
  /// Sorted keys, so that two runs can be compared line by line.
  static func of(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
