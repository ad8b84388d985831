import SallyportPolicy
import TestSupport
import Testing

@Suite struct OpenAPIHostileDocumentTests {
  @Test(arguments: [
    (#"{"a":1,"a":2}"#, "api: has the key `a` twice"), (#"{"b":{"a":1,"\u0061":2}}"#, "api#/b: has the key `a` twice"),
    (#"{"paths":{"/a":{},"/b":{},"\/a":{}}}"#, "api#/paths: has the key `/a` twice"),
    ("{\"a\":\"\u{1}\"}", "api#/a: is no JSON: a control character stands in a text (line 1, column 7)"),
    ("{\n \"a\": tru}", "api#/a: is no JSON: a value is missing (line 2, column 7)"),
    (#"{"a":[1,2,x]}"#, "api#/a/1: is no JSON: a value is missing"),
    (#"{"a":1,}"#, "api#/a: is no JSON: a key in double quotes is missing"),
    (#"{"a":[1,]}"#, "api#/a/0: is no JSON: a value is missing"), (#"{"a" 1}"#, "api#/a: is no JSON: the colon behind a key is missing"),
    (#"{"a":1} x"#, "api: has text behind its end"), (#"{"a":1}{}"#, "api: has text behind its end"),
    (#"{"a":1"#, "api#/a: ends within a value"),
    (#"{"a":"#, "api#/a: ends where a value is missing"), (#"{"a"#, "api: ends within a text"),
    (#"{"a":01}"#, "api#/a: is no JSON: a number"),
    (#"{"a":1.}"#, "api#/a: is no JSON: a number"), (#"{"a":-}"#, "api#/a: is no JSON: a number"),
    (#"{"a":1e}"#, "api#/a: is no JSON: a number"),
    (#"{"a":"\ud800"}"#, "api#/a: is no JSON: half a character"), (#"{"a":"\ud800\u0041"}"#, "api#/a: is no JSON: half a character"),
    (#"{"a":"\udc00"}"#, "api#/a: is no JSON: half a character"), (#"{"a":"\x"}"#, "api#/a: is no JSON: an escape is unknown"),
    (#"{"a":"\u12g4"}"#, "api#/a: is no JSON: an escape is malformed"), (#"{"a":"\"#, "api#/a: is no JSON: an escape is unknown"),
    (#"{"a":1]"#, "api#/a: is no JSON: a comma"), (#"{'a':1}"#, "api: is no JSON: a key"), (#"{"a":NaN}"#, "api#/a: is no JSON: a value"),
    (#"{"a":{"b":[{},{"c":+}]}}"#, "api#/a/b/1/c: is no JSON: a value"),
  ]) func jsonIsReadStrictlyAndFaultsSayWhere(text: String, fault: String) {
    let found = faults(of: text)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix(fault) == true, "\(found)")
  }

  @Test func whatJSONAllowsIsRead() throws {
    let text = """
      \u{FEFF} {"openapi" :\t"3.\\u0030.0" , "x":[-0, 0.5e+10, 1E9, 12, true, false, null, [], {}, "\\\\ \\" \\/ \\b\\f\\n\\r\\t", ""],\r
      "paths":{"\\/caf\\u00e9\\ud83d\\ude00":{"get":{"operationId":"caf\\u00E9 😀"}}}}

      """
    #expect(try read(text).lines == ["GET /café😀 café 😀"])
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    for bytes in [Array(#"{"a":""#.utf8) + [0xFF] + Array(#""}"#.utf8), [0x61, 0x3A, 0x20, 0xC0, 0x80]] {
      #expect(throws: OpenAPIFaults.self) { try OpenAPIReader().read(bytes, name: "api") }
    }
  }

  @Test func limitsHold() {
    let text = openAPI(#""/a":{"get":{}},"/b":{"get":{}}"#)
    #expect(faults(of: text) == [])
    #expect(faults(of: text, OpenAPIReader(limits: .init(bytes: 50))) == ["api: is larger than 50 bytes"])
    #expect(faults(of: text, OpenAPIReader(limits: .init(depth: 3))).first?.contains("is nested deeper than 3 levels") == true)
    #expect(faults(of: text, OpenAPIReader(limits: .init(values: 10))).first?.contains("holds more than 10 values") == true)
    #expect(
      faults(of: text, OpenAPIReader(limits: .init(operations: 1))) == ["api#/paths: describes more than 1 operations"])
    let yaml = "openapi: 3.0.0\npaths: {/a: {get: {}}}"
    #expect(faults(of: yaml, OpenAPIReader(limits: .init(yamlBytes: 30))).first?.hasPrefix("api: is larger than 30 bytes") == true)
    #expect(faults(of: yaml, OpenAPIReader(limits: .init(depth: 2))).first?.contains("is nested") == true)
    #expect(faults(of: yaml, OpenAPIReader(limits: .init(values: 5))).first?.contains("holds more than 5 values") == true)
  }

  @Test(arguments: [#"{"a":"#, "[", "{a: ", "- ", "? ", #"{"a":["#, "[{"]) func endlessNestingIsRefusedQuickly(opening: String) {
    let text = String(repeating: opening, count: 1_000_000 / opening.utf8.count)
    #expect(faults(of: text).count == 1)
  }

  @Test func aMillionPathsAreRefused() {
    var text = #"{"openapi":"3.0.0","paths":{"#
    for number in 0..<20_000 { text += #""/\#(number)":{"get":{},"put":{}},"# }
    text += #""/x":{}}}"#
    #expect(
      faults(of: text, OpenAPIReader(limits: .init(operations: 10_000))) == ["api#/paths: describes more than 10000 operations"])
    #expect(
      faults(of: text, OpenAPIReader(limits: .init(values: 20_000))).first?.contains("holds more than 20000 values (line 1, column ")
        == true)
  }

  @Test func aMillionFaultsAreReportedAsAHundred() {
    let paths = (0..<5000).map { #""\#($0)":{"get":{}}"# }.joined(separator: ",")
    #expect(faults(of: openAPI(paths)).count == 100)
    // Nor are there endless operations to leave out: each path here is two of them.
    let others = (0..<5001).map { #""/\#($0)":{"get":[],"put":[]}"# }.joined(separator: ",")
    #expect(
      faults(of: openAPI(others), OpenAPIReader(faultyOperations: .leaveOut)) == [
        "api#/paths: describes more than 10000 operations that had to be left out"
      ])
  }

  @Test func aThousandReferencesToOneLargeAnswerCostNoMoreThanOne() throws {
    let properties = (0..<2000).map { ##""p\##($0)":{"$ref":"#/components/schemas/S\##($0)"}"## }.joined(separator: ",")
    let schemas = (0..<2000).map { ##""S\##($0)":{"$ref":"#/components/schemas/S\##(($0 + 1) % 2000)"}"## }.joined(separator: ",")
    let paths = (0..<1000).map { ##""/\##($0)":{"get":{"responses":{"200":{"$ref":"#/components/responses/R/content/x"}}}}"## }
    let document = try read(
      openAPI(paths.joined(separator: ","), #""components":{"responses":{"R":{"x":{\#(properties)}}},"schemas":{\#(schemas)}}"#))
    #expect(document.catalogue.responseSchemas(ofOperationAt: 999).count == 2000)
    #expect(document.catalogue.operations(answeringWith: ["S7"]).count == 1000)
  }

  @Test func aBombOfAliasesIsRefusedQuickly() {
    var text = "l0: &l0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 {
      text += "l\(level): &l\(level) [" + [String](repeating: "*l\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
    }
    #expect(faults(of: text + "? *l30\n: 1").first?.hasPrefix("api: holds anchors and many aliases") == true)
  }

  @Test func aFaultRepeatsNothingThatATerminalWouldObey() {
    let found = faults(
      of: #"{"openapi":"3.0.0","paths":{"/\u001b[2J\u202e":{"get":{}},"\#(String(repeating: "x", count: 9000))":{"get":{}}}}"#)
    #expect(found.count == 2)
    #expect(found.allSatisfy { $0.utf8.count < 600 && $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E } })
  }
}

@Suite struct OpenAPIFuzzTests {
  private static let seeds = [
    ##"{"openapi":"3.0.1","servers":[{"url":"https://x.org/v1"}],"paths":{"/a/{b}.c":{"get":{"operationId":"g","x-kubernetes-action":"get","x-kubernetes-group-version-kind":{"group":"","version":"v1","kind":"Secret"},"responses":{"200":{"content":{"a/b":{"schema":{"$ref":"#/components/schemas/L"}}}}}}},"/c":{"$ref":"#/paths/~1d"},"/d":{"put":{}}},"components":{"schemas":{"L":{"properties":{"items":{"items":{"allOf":[{"$ref":"#/components/schemas/S"}]}}},"x-kubernetes-group-version-kind":[{"group":"","version":"v1","kind":"SecretList"}]},"S":{"type":"object","x-kubernetes-group-version-kind":[{"group":"","version":"v1","kind":"Secret"}]}}}}"##,
    ##"{"swagger":"2.0","basePath":"/b","paths":{"/x%20y/{p}":{"parameters":[],"post":{"operationId":"\u00e9\ud83d\ude00","responses":{"200":{"schema":{"$ref":"#/definitions/A~1B"}}}}}},"definitions":{"A/B":{"n":[1,-2.5e3,true,null,"\\"]}}}"##,
    ##"""
    openapi: 3.1.0
    servers: [{url: "/{v}", variables: {v: {default: a}}}]
    paths:
      /pets/{id}:
        get: {operationId: getPet, responses: {200: {$ref: '#/components/responses/R'}}}
        post: {description: "*a* & b"}
      /other: {$ref: '#/paths/~1pets~1{id}'}
    components: {responses: {R: {content: {}}}, schemas: {P: {type: object}}}
    """##,
  ]

  @Test func damagedDocumentsAreReadOrRefusedAndWhatIsReadKeepsItsPromises() throws {
    var chance = Chance(seed: 0x0A91)
    var read = 0
    for round in 0..<5000 {
      var bytes = Array(Self.seeds[round % Self.seeds.count].utf8)
      chance.damage(&bytes)
      let reader = OpenAPIReader(
        limits: OpenAPILimits(depth: 20, values: 300, operations: 20), faultyOperations: round % 2 == 0 ? .refuse : .leaveOut)
      guard let document = try? reader.read(bytes, name: "fuzz") else { continue }
      read += 1
      let catalogue = document.catalogue
      #expect(Set(catalogue.operations.map(\.id)).count == catalogue.operations.count)
      for (index, operation) in catalogue.operations.enumerated() {
        #expect(try PathTemplate(operation.path).description == operation.path)
        for schema in catalogue.responseSchemas(ofOperationAt: index) {
          #expect(catalogue.operations(answeringWith: [schema]).contains(index))
        }
      }
    }
    // Were every document refused, nothing would have been tested.
    #expect(read > 500)
  }
}

extension Chance {
  /// Damages bytes at one to three places.
  mutating func damage(_ bytes: inout [UInt8]) {
    let interesting = Array("0159aAfF{}[]:,\"'\\/#$~%*&!|-? \n\t.".utf8) + [0x00, 0x7F, 0xC3, 0xFF]
    for _ in 0..<Int.random(in: 1...3, using: &self) {
      guard !bytes.isEmpty else { return }
      let place = Int.random(in: 0..<bytes.count, using: &self)
      let length = Int.random(in: 1...24, using: &self)
      switch Int.random(in: 0..<6, using: &self) {
      case 0: bytes[place] = interesting[Int.random(in: 0..<interesting.count, using: &self)]
      case 1: bytes.insert(interesting[Int.random(in: 0..<interesting.count, using: &self)], at: place)
      case 2: bytes.remove(at: place)
      case 3: bytes.removeSubrange(place..<min(bytes.count, place + length))
      case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + length)], at: Int.random(in: 0...bytes.count, using: &self))
      default: bytes.removeSubrange(place...)
      }
    }
  }
}
