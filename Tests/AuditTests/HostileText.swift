import Foundation
import TestSupport

/// Text that nobody would write who means well.
enum HostileText {
  /// Pieces that break lines, strings, readers and terminals.
  private static let pieces: [String] = [
    "\"", "\\", "\\\"", "\\u0022", "\n", "\r\n", "\t", "\u{8}", "\u{C}", "\0", "\u{1B}[2J", "\u{1F}", "\u{7F}", "\u{80}", "\u{9B}31m",
    "\u{9F}",
    "\u{A0}", "\u{AD}", "\u{2028}", "\u{2029}", "\u{202E}", "\u{2066}", "\u{200B}", "\u{FEFF}", "\u{FFFD}", "\u{FFFE}", "\u{FFFF}",
    "\u{D7FF}",
    "\u{E000}", "\u{10000}", "\u{10FFFF}", "\u{1F600}", "e\u{301}", "\u{E9}", "}", "]", "{", ",", ":", "\"}\n{\"kind\":\"Event\"",
    "</script>",
    "alice", "system:masters", " ", "%00", "&", "=", "${jndi}", "\u{65E5}\u{672C}",
  ]

  static func text(_ generator: inout Chance) -> String {
    (0..<Int.random(in: 0...12, using: &generator)).reduce(into: "") { text, _ in
      if Bool.random(using: &generator) {
        text += self.pieces.randomElement(using: &generator)!
      } else {
        let value = UInt32.random(in: 0...0x10FFFF, using: &generator)
        text.unicodeScalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
      }
    }
  }

  /// How often a test tries: `SALLYPORT_NIGHTLY=1` makes it more.
  static func rounds(_ usual: Int, atNight: Int = 100_000) -> Int {
    ProcessInfo.processInfo.environment["SALLYPORT_NIGHTLY"] == "1" ? atNight : usual
  }
}
