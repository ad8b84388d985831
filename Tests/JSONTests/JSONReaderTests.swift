import SallyportJSON
import Testing

@Suite struct JSONReaderTests {
  @Test(arguments: [
    ("null", JSONValue.null), (" true ", .bool(true)), ("false", .bool(false)), ("0", .integer(0)), ("-17", .integer(-17)),
    ("9223372036854775807", .integer(.max)), ("1.5e3", .number(1500)), ("-0.25", .number(-0.25)), (#""""#, .string("")),
    (#""a\"\\\/\b\f\n\r\tz""#, .string("a\"\\/\u{8}\u{c}\n\r\tz")), (#""\u00e9\ud83d\ude00""#, .string("é😀")), (#""é😀""#, .string("é😀")),
    ("[]", .array([])), ("[1, [2]]", .array([.integer(1), .array([.integer(2)])])), ("{}", .object([:])),
    (#"{"a": {"b": [null]}, "c": 1}"#, .object(["a": .object(["b": .array([.null])]), "c": .integer(1)])),
  ])
  func whatIsWrittenIsRead(_ text: String, _ value: JSONValue) throws {
    #expect(try JSONReader.read(text.utf8) == value)
  }

  @Test(arguments: [
    "", " ", "nul", "True", "+1", "01", "-", "-01", ".5", "1.", "1e", "1e+", "1e999", "0x10", "NaN", "Infinity", "[", "[1", "[1,]", "[,1]",
    "[1 2]",
    "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{a:1}"#, #"{"a":1 "b":2}"#, #"""#, #""\x""#, #""\u12""#, #""\u12g4""#, "\"\u{1}\"",
    "\"a\nb\"",
    "1 1", "{} x", "'a'", "// c\n1", "\u{FEFF}1",
  ])
  func whatIsNoJSONIsRefused(_ text: String) {
    #expect(throws: JSONFault.self) { try JSONReader.read(text.utf8) }
  }

  @Test(arguments: [#"{"a":1,"a":2}"#, #"{"a":{"b":1,"\u0062":1}}"#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800x""#])
  func whatReadersReadDifferentlyIsRefused(_ text: String) {
    #expect(throws: JSONFault.self) { try JSONReader.read(text.utf8) }
  }

  @Test func bytesThatAreNoUTF8AreRefused() {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82]] {
      #expect(throws: JSONFault.self) { try JSONReader.read([0x22] + bytes + [0x22]) }
    }
  }

  @Test func nestingHasALimitAndSiblingsDoNotCount() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(throws: Never.self) { try JSONReader.read(nested(32).utf8) }
    #expect(throws: JSONFault.self) { try JSONReader.read(nested(33).utf8) }
    #expect(throws: JSONFault.self) { try JSONReader.read(String(repeating: "[", count: 1_000_000).utf8) }
    let siblings = "[" + Array(repeating: "[],{}", count: 100).joined(separator: ",") + "]"
    #expect(try JSONReader.read(siblings.utf8).array?.count == 200)
  }

  @Test func aFaultSaysWhereAndShowsNothingOfTheText() throws {
    let fault = try #require(throws: JSONFault.self) { try JSONReader.read(#"{"secret": hunter2}"#.utf8) }
    #expect(fault.offset == 11)
    #expect(!fault.description.contains("hunter2"))
  }
}
