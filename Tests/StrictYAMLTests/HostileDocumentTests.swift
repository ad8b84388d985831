import SallyportStrictYAML
import Testing

@Suite struct HostileDocumentTests {
  @Test(arguments: [
    ("a: &x 1\nb: 2", "f.yaml:1:4: a: has an anchor (`&`); write the value out wherever it is used"),
    ("a: &x [1]\nb: *x", "f.yaml:1:4: a: has an anchor (`&`); write the value out wherever it is used"),
    ("a: *x", "f.yaml:1:4: is not YAML: found undefined alias; check the indentation and the quotes from here upwards"),
    ("&x a: 1", "f.yaml:1:1: has a key with an anchor (`&`); write the key out"),
    ("a:\n  <<: {b: 1}", "f.yaml:2:3: a: has a merge key (`<<`); write the keys out"),
    ("1: a", "f.yaml:1:1: has a key that YAML does not read as text; put the key in quotes"),
    ("a: {yes: 1}", "f.yaml:1:5: a: has a key that YAML does not read as text; put the key in quotes"),
    ("? [a]\n: 1", "f.yaml:1:3: has a key that is a list or a mapping; use text as key"),
    ("a: !!binary aGk=", "f.yaml:1:4: a: has a tag (`!`); write the value without it, in quotes where it is text"),
    ("a: !x {}", "f.yaml:1:4: a: has a tag (`!`); write the mapping without it"),
    ("!x a: 1", "f.yaml:1:1: has a key with a tag (`!`); write the key without it"),
    ("a: ! b", "f.yaml:1:4: a: has a tag (`!`); write the value without it, in quotes where it is text"),
    ("a: 1\n---\nb: 2", "f.yaml:3:1: holds a second document; put it into a file of its own"),
    ("", "f.yaml:1:1: is empty; write the document"),
    ("# nothing\n", "f.yaml:1:1: is empty; write the document"),
    ("a: \u{1}", "f.yaml:1:4: holds a control character; remove it"),
    ("ä: 'é'\nb: \u{7}", "f.yaml:2:4: holds a control character; remove it"),
    (
      "a: b: c",
      "f.yaml:1:5: is not YAML: mapping values are not allowed in this context; check the indentation and the quotes from here upwards"
    ),
    ("a: 'x", "f.yaml:1:6: is not YAML: found unexpected end of stream; check the indentation and the quotes from here upwards"),
  ]) func whatYAMLAllowsAndAStrictFileDoesNotIsRefused(text: String, fault: String) {
    #expect(faults(of: text) { $0.dictionary { _, _ in 0 } } == [fault])
  }

  @Test func aDuplicateKeyIsReportedWithoutTheDocument() {
    let found = faults(of: "hash: $y$secret\nusers:\n  name: a\n  other: b\n  name: c\n") { $0.dictionary { _, _ in 0 } }
    #expect(found == ["f.yaml:3:3: has `name` twice in one mapping; keep one of the two"])
  }

  @Test(arguments: [
    "$y$j9T$secret: 1", "name: $y$j9T$secret\n$y$j9T$secret: 2", "$y$j9T$secret: 1\n$y$j9T$secret: 1",
    "name: {$y$j9T$secret: {$y$j9T$secret: *x}}",
    "name: $y$j9T$secret: x", "size: $y$j9T$secret", "name: '$y$j9T$secret", "? [$y$j9T$secret]\n: 2", "name: {$y$j9T$secret: &a 1}",
    "name: [\"$y$j9T$secret\", {}]", "!<$y$j9T$secret> name: x", "name: &secret 1", "%$y$j9T$secret\n---\na: 1", "name: !secret 1",
  ]) func noFaultRepeatsAValueOfTheDocument(text: String) {
    let found = faults(of: text, nameAndSize)
    #expect(!found.isEmpty)
    #expect(!found.contains { $0.contains("secret") })
  }

  @Test func aTerminalEscapeInAKeyIsNotRepeated() {
    #expect(faults(of: "name: a\n\"\\e[2J\": 1", nameAndSize) == ["f.yaml:2:1: […]: is not a known key; known here: name, size"])
  }

  @Test func aDocumentThatIsTooLargeIsRefusedUnread() {
    let text = "name: " + String(repeating: "a", count: 2000)
    #expect(
      faults(of: text, limits: YAMLLimits(bytes: 1000), nameAndSize) == [
        "f.yaml:1:1: is larger than 1000 bytes; split it, or remove what is not needed"
      ])
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    #expect(throws: FileFaults.self) { try StrictYAML.decode(bytes: [0x61, 0xFF], fileName: "f", nameAndSize) }
  }

  @Test func nestingIsLimited() {
    let text = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
    let found = faults(of: text) { $0.list { _ in 0 } }
    #expect(found.count == 1)
    #expect(found.first?.contains("is nested too deep; use at most 32 levels") == true)
  }

  @Test(arguments: ["[", "{a: ", "- ", "? ", "[a: ", "{? "]) func endlessNestingIsRefusedQuickly(opening: String) {
    let text = String(repeating: opening, count: 1_000_000 / opening.utf8.count)
    #expect(faults(of: text) { $0.list { _ in 0 } }.count == 1)
  }

  @Test(arguments: ["a: *l", "? *l\n: 1", "[*l]: 1", "{*l : 1}"]) func aBombOfAliasesIsRefusedQuickly(use: String) {
    var text = "l0: &l0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 {
      let below = [String](repeating: "*l\(level - 1)", count: 9).joined(separator: ", ")
      text += "l\(level): &l\(level) [\(below)]\n"
    }
    text += use.replacing("*l", with: "*l30")
    #expect(faults(of: text) { $0.dictionary { _, _ in 0 } } == ["f.yaml:1:5: holds anchors and many aliases; write each value out"])
  }

  @Test func aFewAliasesInTheGuardsBlindSpotAreHarmless() {
    // Eight aliases in keys, the most that pass the guard: four levels that each double the one below.
    var text = "- &l0 [x]\n"
    for level in 1...4 { text += "- &l\(level)\n  ? [*l\(level - 1), *l\(level - 1)]\n  : 1\n" }
    let found = faults(of: text) { $0.list { _ in 0 } }
    #expect(found.count == 5)
    #expect(found.allSatisfy { $0.contains("has an anchor") })
  }

  @Test func starsAndAmpersandsInTextAreNoAnchors() throws {
    let text = "name: \"*a *b *c *d *e *f *g *h *i *j\" # R&D, *very* *much* *so*\n"
    #expect(try StrictYAML.decode(text, fileName: "f", nameAndSize) == "*a *b *c *d *e *f *g *h *i *j")
  }

  @Test func aMillionFaultsAreReportedAsAHundred() {
    let text = (0..<50_000).map { "key\($0): 1\n" }.joined()
    #expect(faults(of: text, nameAndSize).count == 100)
  }
}
