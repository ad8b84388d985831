/// Finds documents that must not even be composed.
///
/// Yams follows aliases while it composes: an alias in the place of a key is hashed with everything below it, so a few
/// lines of nested aliases would keep it busy for years. Anchors are refused anyway, but only once the document is a
/// tree; this check comes before and needs no tokens. It counts what *could* be an alias of an anchor that could stand
/// before it, comments and text included, and lets a document pass that has so few of them that following all of them
/// costs nothing. An alias whose anchor stands nowhere before it is an error to Yams, which ends the reading there; so the
/// lists and the emphasis of a text in Markdown count for nothing.
enum BombGuard {
  /// Eight aliases nest at most so that one value is repeated some twenty times.
  static let harmlessAliases = 8

  /// The position of the first possible anchor of a document with too many possible aliases; `nil` for a harmless one.
  static func bomb(in text: String) -> YAMLTree.Position? {
    var firstAnchor: YAMLTree.Position?
    var anchors: Set<Substring> = []
    var aliases = 0
    var line = 1
    var column = 1
    var previous = UInt8(ascii: "\n")
    let bytes = text.utf8
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), self.canPrecedeToken(previous) {
        let name = self.name(behind: index, in: text)
        if byte == UInt8(ascii: "*") {
          if !anchors.isEmpty, anchors.contains(name) { aliases += 1 }
        } else if !name.isEmpty {
          anchors.insert(name)
          if firstAnchor == nil { firstAnchor = .init(line: line, column: column) }
        }
      }
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
      previous = byte
      bytes.formIndex(after: &index)
    }
    return aliases > self.harmlessAliases ? firstAnchor : nil
  }

  /// The name of an anchor or alias, as libyaml reads it (`yaml_parser_scan_anchor`): letters, digits, `-` and `_`.
  private static func name(behind index: String.Index, in text: String) -> Substring {
    let start = text.utf8.index(after: index)
    let end =
      text.utf8[start...].firstIndex { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "-"), UInt8(ascii: "_"):
          false
        default: true
        }
      } ?? text.utf8.endIndex
    return text[start..<end]
  }

  /// Behind any other byte, `&` and `*` are part of a scalar or a syntax error.
  private static func canPrecedeToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
    case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"): true
    case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "?"): true
    default: byte >= 0x80  // a line or paragraph separator, a byte order mark
    }
  }
}
