import SallyportConfiguration
import SallyportStrictYAML
import TestSupport
import Testing

@Suite struct FuzzTests {
  static let pieces = [
    "&a ", "*a", "<<: ", "!!binary ", "? ", "- ", ": ", "{", "}", "[", "]", "'", "\"", "#", "|\n", ">", "---\n", "...\n", "%YAML 1.1\n",
    "\t", "\0",
    "\u{FEFF}", "\u{85}", "\u{2028}", "null", "~", "1e999", "0x", "\\", "\n", "  ", "9999999999999999999999", "/../", "::", "%",
    "\u{1F6AA}",
  ]

  static func mutated(_ text: [UInt8], _ random: inout Chance) -> [UInt8] {
    var bytes = text
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let at = Int.random(in: 0..<bytes.count, using: &random)
      let end = min(bytes.count, at + Int.random(in: 0...20, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.removeSubrange(at..<end)
      case 2: bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &random))
      case 3: bytes.insert(contentsOf: Self.pieces.randomElement(using: &random)!.utf8, at: at)
      default: bytes.replaceSubrange(at..<end, with: Self.pieces.randomElement(using: &random)!.utf8)
      }
      if bytes.isEmpty { bytes = Array("a".utf8) }
    }
    return bytes
  }

  @Test func mutatedDocumentsGiveAValueOrFaultsAndNeverMore() {
    var random = Chance(seed: 2026)
    var values = 0
    var refused = 0
    for round in 0..<10_000 {
      let bytes = Self.mutated(Array((round % 4 == 0 ? everyKey : leastKeys).utf8), &random)
      do throws(ConfigurationFaults) {
        let read = try GatewayConfiguration.load(yaml: bytes, fileName: "f.yaml")
        #expect(!read.routes.isEmpty && !read.listeners.isEmpty && !read.upstreams.isEmpty)
        values += 1
      } catch {
        let lines = bytes.count { $0 == 0x0A || $0 == 0x0D } + bytes.count { $0 == 0x85 || $0 == 0xA8 || $0 == 0xA9 } + 2
        #expect(!error.faults.isEmpty)
        #expect(error.faults.allSatisfy { (1...lines).contains($0.place.line) && $0.place.column >= 1 })
        for fault in error.faults {
          let text = fault.description
          #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control }, "\(text.debugDescription)")
        }
        refused += 1
      }
    }
    // Both ends of the fork are exercised, or the mutations are too tame or too wild to mean anything.
    #expect(values > 200)
    #expect(refused > 5000)
  }
}
