import SallyportStrictYAML
import Testing

/// Reads `text` with `body` and gives the faults' lines.
func faults<Value>(of text: String, limits: YAMLLimits = YAMLLimits(), _ body: (YAMLCursor) -> Value?) -> [String] {
  do throws(FileFaults) {
    _ = try StrictYAML.decode(text, fileName: "f.yaml", limits: limits, body)
    return []
  } catch {
    return error.faults.map(\.description)
  }
}

/// A mapping with a required text `name` and an optional number `size`.
func nameAndSize(_ cursor: YAMLCursor) -> String? {
  cursor.mapping { keys in
    let name = keys.required("name")?.text()
    _ = keys.optional("size")?.integer(in: 1...10)
    return name
  }
}

@Suite struct FaultTests {
  @Test func aMissingKeyIsReportedAtItsMapping() {
    #expect(faults(of: "\nsize: 3\n", nameAndSize) == ["f.yaml:2:1: name: is missing; add this key"])
  }

  @Test func anUnknownKeyIsReportedWithTheNearestKnownOne() {
    #expect(faults(of: "name: a\nsiez: 3\n", nameAndSize) == ["f.yaml:2:1: siez: is not a known key; did you mean `size`?"])
  }

  @Test func anUnknownKeyWithoutANearOneIsReportedWithAllKnownOnes() {
    #expect(faults(of: "name: a\nlisteners: 3\n", nameAndSize) == ["f.yaml:2:1: listeners: is not a known key; known here: name, size"])
  }

  @Test func allFaultsAreReportedInTheOrderOfTheFile() {
    #expect(
      faults(of: "size: 70\nother: {}\nname: [a]\n", nameAndSize) == [
        "f.yaml:1:7: size: is out of range; write a whole number from 1 to 10",
        "f.yaml:2:1: other: is not a known key; known here: name, size",
        "f.yaml:3:7: name: is a list; write text",
      ])
  }

  @Test(arguments: ["no", "12", "1.5", "0x1F", "true", "12:30", ".inf", "1_000", "1e3", "off"])
  func plainTextThatSomeReaderTakesForSomethingElseMustBeQuoted(word: String) throws {
    #expect(faults(of: "name: \(word)", nameAndSize).first?.hasSuffix("in quotes where it looks like something else") == true)
    #expect(try StrictYAML.decode("name: '\(word)'", fileName: "f", nameAndSize) == word)
  }

  @Test(arguments: ["127.0.0.1:80", "30s", "1.2.3", "-a", "no-one", "e5", "::1", "0xZ", "+", "1:99", "12:30:xx", "_1"])
  func plainTextThatNoReaderTakesForSomethingElseNeedsNoQuotes(word: String) throws {
    #expect(try StrictYAML.decode("name: \(word)", fileName: "f", nameAndSize) == word)
  }

  @Test(arguments: [("", "is empty"), ("~", "is empty"), ("null", "is empty"), ("''", "is empty"), ("{}", "is a mapping")])
  func textThatIsNoneIsRefused(written: String, problem: String) {
    #expect(faults(of: "name: \(written)", nameAndSize).first?.contains("name: \(problem); write text") == true)
  }

  @Test(arguments: ["1.0", "'3'", "three", "007", "0x3", "1_0", "+3", "99999999999999999999"])
  func onlyDecimalDigitsAreANumber(written: String) {
    let remedy = "is not a whole number; write a whole number from 1 to 10"
    #expect(faults(of: "name: a\nsize: \(written)", nameAndSize) == ["f.yaml:2:7: size: \(remedy)"])
  }

  @Test(arguments: ["yes", "True", "on", "'true'", "1"]) func onlyTrueAndFalseAreBooleans(written: String) {
    #expect(faults(of: written) { $0.boolean() } == ["f.yaml:1:1: is neither true nor false; write true or false"])
  }

  @Test func booleansAndNumbersAreRead() throws {
    #expect(try StrictYAML.decode("[true, false]", fileName: "f") { $0.list { $0.boolean() } } == [true, false])
    #expect(try StrictYAML.decode("[0, -3, 12]", fileName: "f") { $0.list { $0.integer(in: -3...12) } } == [0, -3, 12])
  }

  enum Colour: String, CaseIterable { case red, green }

  @Test func aChoiceNamesItsWords() throws {
    #expect(faults(of: "blue") { $0.choice(of: Colour.self) } == ["f.yaml:1:1: is not a known word; write red or green"])
    #expect(try StrictYAML.decode("'green'", fileName: "f") { $0.choice(of: Colour.self) } == .green)
  }

  @Test func aListWithTooFewItemsIsRefused() {
    #expect(
      faults(of: "a: []") { $0.mapping { $0.required("a")?.list(atLeast: 1) { $0.text() } } }.first?.contains("a: has too few items")
        == true)
  }

  @Test func faultsInAListCarryTheIndex() {
    #expect(faults(of: "- a\n- {}\n- b") { $0.list { $0.text() } } == ["f.yaml:2:3: [1]: is a mapping; write text"])
  }

  @Test func exactlyOneOfSeveralKeysIsDemanded() throws {
    func secret(_ cursor: YAMLCursor) -> String? {
      cursor.mapping { $0.exactlyOne(of: ["pinFile": { $0.text() }, "pinEnv": { $0.text() }]) }
    }
    #expect(faults(of: "{}", secret) == ["f.yaml:1:1: has none of the keys `pinFile` or `pinEnv`; add one of them"])
    #expect(
      faults(of: "pinFile: a\npinEnv: b\n", secret) == ["f.yaml:2:9: pinEnv: stands beside `pinFile`; keep one of the two"])
    #expect(try StrictYAML.decode("pinEnv: X", fileName: "f", secret) == "X")
  }

  @Test func aKeyOfALaterVersionSaysSo() {
    let found = faults(of: "name: a\nquota: 3") { cursor in
      cursor.mapping { keys in
        keys.notInThisVersion("quota")
        return keys.required("name")?.text()
      }
    }
    #expect(found == ["f.yaml:2:1: quota: is not supported in this version; remove it"])
  }

  @Test func aDictionaryKeepsTheOrderOfTheFile() throws {
    let read = try StrictYAML.decode("zoe: 1\nal: 2\n", fileName: "f") { $0.dictionary { $1.integer(in: 0...9) } }
    #expect(read.map(\.key) == ["zoe", "al"])
    #expect(read.map(\.value) == [1, 2])
  }

  @Test func aDecoderThatGivesUpWithoutAReasonStillFails() {
    #expect(faults(of: "a") { _ in nil as Int? } == ["f.yaml:1:1: cannot be read; check it against the documentation"])
  }

  @Test func theKeysThatWereAskedForAreKnown() {
    let text = "- {name: a, size: 3}\n- {name: b}"
    #expect(StrictYAML.keysAsked(by: { $0.list(nameAndSize) }, of: text) == ["[].name", "[].size"])
  }
}
