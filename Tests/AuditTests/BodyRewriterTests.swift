import Foundation
import TestSupport
import Testing

@testable import SallyportAudit

/// What becomes of a body on its way into a record.
@Suite struct BodyRewriterTests {
  private static let secret = BodyRedaction(hidesAll: true, isOff: false, omitsManagedFields: false)
  private static let other = BodyRedaction(hidesAll: false, isOff: false, omitsManagedFields: false)
  private static let open = BodyRedaction(hidesAll: true, isOff: true, omitsManagedFields: false)

  /// `nil` where it is no JSON.
  private func rewritten(_ body: [UInt8], _ redaction: BodyRedaction) -> (text: [UInt8], isRedacted: Bool)? {
    body.withUnsafeBytes { bytes in
      var rewriter = BodyRewriter(bytes, redaction)
      guard rewriter.read() else { return nil }
      var line = LineBytes(capacity: 0)
      let isRedacted = rewriter.write(to: &line)
      return (line.withBytes { Array($0) }, isRedacted)
    }
  }

  private func rewritten(_ body: String, _ redaction: BodyRedaction = other) -> String? {
    self.rewritten(Array(body.utf8), redaction).map { String(decoding: $0.text, as: UTF8.self) }
  }

  // MARK: - What is hidden

  @Test func ofASecretOnlyItsNameAndItsKeysAreShown() {
    let body = """
      { "data" : {"password": "aHVudGVyMg==", "user": ""}, "stringData": {"a": "b"}, "immutable": true, "type": "Opaque", "kind": "Secret",
        "apiVersion": "v1", "note": "x",
        "metadata": {"name": "db", "namespace": "dev", "labels": {"app": "web"}, "generation": 3,
          "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\\"data\\":{}}", "other": "y"},
          "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {"v:aHVudGVyMg==": {}}}}], "note": 7} }
      """
    let expected =
      #"{"data":{"password":"REDACTED","user":"REDACTED"},"stringData":{"a":"REDACTED"},"immutable":true,"type":"Opaque","kind":"Secret","#
      + #""apiVersion":"v1","note":"REDACTED","metadata":{"name":"db","namespace":"dev","labels":{"app":"web"},"generation":3,"annotations":"#
      + #"{"kubectl.kubernetes.io/last-applied-configuration":"REDACTED","other":"REDACTED"},"note":"REDACTED"}}"#
    #expect(self.rewritten(body, Self.secret) == expected)
    // Wherever it comes from, its kind says what it is, although that stands behind the data.
    #expect(self.rewritten(body, Self.other) == expected)
  }

  @Test(arguments: [
    ("a list", #"{"kind":"SecretList","items":[{"metadata":{"name":"a"},"data":{"k":"CANARY"}}]}"#, #""name":"a""#),
    (
      "a table",
      #"{"kind":"Table","columnDefinitions":[{"name":"Name"}],"rows":[{"cells":["a","CANARY"],"object":{"kind":"Secret","metadata":{"name":"a","annotations":{"x":"CANARY"}}}}]}"#,
      #""columnDefinitions":[{"name":"Name"}]"#
    ),
    ("a merge patch", #"{"data":{"k":"CANARY","gone":null}}"#, #""gone":null"#),
    (
      "a JSON patch", #"[{"op":"replace","path":"/data/k","value":"CANARY"},{"op":"add","path":"/data","value":{"k":["CANARY"]}}]"#,
      "/data/k"
    ),
    (
      "a token", #"{"kind":"TokenRequest","spec":{"audiences":["CANARY"]},"status":{"token":"CANARY","expirationTimestamp":"CANARY"}}"#,
      "token"
    ),
    ("a refusal that quotes", #"{"kind":"Status","status":"Failure","reason":"Invalid","message":"CANARY","code":422}"#, "Invalid"),
    ("bare text", #""CANARY""#, "REDACTED"), ("keys that are escaped", #"{"k\u0069nd":"CANARY","kind":"Secret"}"#, "Secret"),
    ("arrays at the top", #"[["CANARY"]]"#, "REDACTED"),
  ]) func ofWhatHoldsSecretsNoValueIsShown(_ name: String, _ body: String, shown: String) throws {
    let written = try #require(self.rewritten(Array(body.utf8), Self.secret))
    let text = String(decoding: written.text, as: UTF8.self)
    #expect(!text.contains("CANARY") && text.contains(shown) && written.isRedacted, "\(name): \(text)")
    #expect(self.rewritten(body, Self.open) == body.replacing(#"{"k\u0069nd""#, with: #"{"k\u0069nd""#), "nothing is hidden from who asked")
  }

  @Test func aSecretInsideOfSomethingElseIsHiddenAndTheRestIsNot() {
    let secret = #"{"data":{"k":"CANARY"},"\u006bind":"\u0053ecret"}"#
    let text = self.rewritten(#"{"kind":"Backup","note":"shown","items":[\#(secret),{"a":"shown too"}],"last":\#(secret)}"#) ?? ""
    #expect(!text.contains("CANARY") && text.contains(#""note":"shown""#) && text.contains(#"{"a":"shown too"}"#))
    // A reference names a secret and holds none.
    let reference = #"{"issuerRef":{"kind":"Secret","name":"db","namespace":"dev"}}"#
    #expect(self.rewritten(reference) == reference)
  }

  @Test func stringsWhoseNamesSayThatTheyAreSecretsAreHiddenEverywhere() {
    let body = #"{"spec":{"token":"x","Client-Secret":"x","pass\u0077ord":"x","secretName":"db","tokens":["y"],"token2":"z"}}"#
    let expected =
      #"{"spec":{"token":"REDACTED","Client-Secret":"REDACTED","pass\u0077ord":"REDACTED","secretName":"db","tokens":["y"],"token2":"z"}}"#
    #expect(self.rewritten(body) == expected)
    // A copy of the whole object, in which nobody looks for names.
    let applied = #"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"x","a":"b"}}}"#
    #expect(
      self.rewritten(applied) == #"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"REDACTED","a":"b"}}}"#)
  }

  @Test func managedFieldsAreLeftOutWhereThePolicySaysSo() {
    let omitting = BodyRedaction(hidesAll: false, isOff: false, omitsManagedFields: true)
    let body =
      #"{"items":[{"metadata":{"managedFields":[{"a":[1]}],"name":"x"}},{"metadata":{"name":"y","managedFields":[]}}],"managedFields":1}"#
    #expect(self.rewritten(body, omitting) == #"{"items":[{"metadata":{"name":"x"}},{"metadata":{"name":"y"}}],"managedFields":1}"#)
    #expect(self.rewritten(body) == body)
  }

  // MARK: - What is JSON

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "[,1]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{'a':1}", "[1 2]", "1 2", "01", "-", "1.", ".5", "1e", "+1",
    "NaN",
    "1e999", "-1e400", "nul", "nulll", "tru", "\"", "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u123", "\"a\nb\"", "\"a\tb\"", "\u{FEFF}{}",
    "{} x", "{}{}", "[1]/*x*/", "{\"a\":1 \"b\":2}", "[[1]", "{\"a\":}", String(repeating: "1", count: 400),
    String(repeating: "[", count: 200) + String(repeating: "]", count: 200),
  ]) func whatIsNoJSONIsNotRecorded(_ body: String) {
    #expect(self.rewritten(body) == nil)
  }

  @Test(arguments: [
    ("{}", "{}"), (" [ ] ", "[]"), ("[1, -0.5e+3 ,true,false,null, \"\"]", "[1,-0.5e+3,true,false,null,\"\"]"),
    ("{\"a\": {\"a\" :1}, \"a\": 2}", "{\"a\":{\"a\":1},\"a\":2}"), (#""\/\b\u00e9\ud83d\ude00""#, #""\/\b\u00e9\ud83d\ude00""#),
    (#""\ud83d x \ude00 \ud83d""#, #""\ufffd x \ufffd \ufffd""#), ("\"\u{2028}\u{7F}\u{E9}\"", "\"\\u2028\\u007f\u{E9}\""),
    (
      String(repeating: "[", count: 100) + "1" + String(repeating: "]", count: 100),
      String(repeating: "[", count: 100) + "1" + String(repeating: "]", count: 100)
    ),
  ]) func whatIsJSONIsWrittenWithoutBlanksAndWithTheRecordsEscapes(_ body: String, _ expected: String) {
    #expect(self.rewritten(body) == expected)
  }

  // MARK: - At random

  private static func anyValue(_ generator: inout Chance, depth: Int = 0) -> Any {
    switch Int.random(in: 0...(depth < 4 ? 7 : 4), using: &generator) {
    case 0: return NSNull()
    case 1: return Bool.random(using: &generator)
    case 2: return Int.random(in: -1000...1000, using: &generator)
    case 3, 4: return HostileText.text(&generator) + "CANARY"
    case 5: return (0..<Int.random(in: 0...4, using: &generator)).map { _ in self.anyValue(&generator, depth: depth + 1) }
    default:
      var object: [String: Any] = [:]
      for _ in 0..<Int.random(in: 0...5, using: &generator) {
        let known = ["kind", "metadata", "data", "items", "rows", "object", "status", "cells", "spec", "stringData"].randomElement(
          using: &generator)!
        let key = Bool.random(using: &generator) ? HostileText.text(&generator) : known
        object[key] = self.anyValue(&generator, depth: depth + 1)
      }
      return object
    }
  }

  /// Whether two documents have the same values; texts are compared by their scalars.
  private static func isSame(_ left: Any, _ right: Any) -> Bool {
    switch (left, right) {
    case (let left as [Any], let right as [Any]): left.count == right.count && zip(left, right).allSatisfy(self.isSame)
    case (let left as [String: Any], let right as [String: Any]):
      left.count == right.count && left.allSatisfy { key, value in right[key].map { self.isSame(value, $0) } ?? false }
    case (let left as String, let right as String): left.exact == right.exact
    case (let left as Bool, let right as Bool): left == right
    case (let left as Int, let right as Int): left == right
    default: left is NSNull && right is NSNull
    }
  }

  @Test func whatIsWrittenHasTheValuesOfWhatWasSent() throws {
    var generator = Chance(seed: 0xB0D1E5)
    for round in 0..<HostileText.rounds(1_500) {
      let value = Self.anyValue(&generator)
      let options: JSONSerialization.WritingOptions = round % 2 == 0 ? [.fragmentsAllowed] : [.fragmentsAllowed, .prettyPrinted]
      let body = try [UInt8](JSONSerialization.data(withJSONObject: value, options: options))
      let written = try #require(self.rewritten(body, Self.open), "round \(round)")
      try #require(written.text.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "round \(round)")
      let read = try JSONSerialization.jsonObject(with: Data(written.text), options: .fragmentsAllowed)
      // With what was meant: of a U+FEFF that is no escape, Foundation's reader makes nothing.
      try #require(Self.isSame(read, value), "round \(round): \(body) became \(written.text)")
    }
  }

  @Test func noMixtureOfFieldsBringsAValueOfASecretOut() throws {
    var generator = Chance(seed: 0x5EC2E7)
    for round in 0..<HostileText.rounds(1_500) {
      let value: [String: Any] = [
        "data": Self.anyValue(&generator), "spec": Self.anyValue(&generator), "metadata": ["annotations": Self.anyValue(&generator)],
      ]
      let body = try [UInt8](JSONSerialization.data(withJSONObject: value))
      let text = String(decoding: try #require(self.rewritten(body, Self.secret)).text, as: UTF8.self)
      try #require(!text.contains("CANARY"), "round \(round): \(text)")
    }
  }

  /// A broken body is either no JSON, or a reader that is not ours finds JSON in what is written of it.
  @Test func brokenBodiesNeverBreakALine() throws {
    var generator = Chance(seed: 0xBAD)
    var refused = 0
    for round in 0..<HostileText.rounds(3_000) {
      var body = try [UInt8](JSONSerialization.data(withJSONObject: ["a": Self.anyValue(&generator), "kind": "Secret"]))
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let place = Int.random(in: 0..<body.count, using: &generator)
        switch Int.random(in: 0...2, using: &generator) {
        case 0: body[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: body.remove(at: place)
        default: body.insert("{}[]\",:\\u0e-".utf8.randomElement(using: &generator)!, at: place)
        }
      }
      for redaction in [Self.open, Self.secret, Self.other] {
        guard let written = self.rewritten(body, redaction) else {
          refused += 1
          continue
        }
        try #require(written.text.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "round \(round)")
        _ = try JSONSerialization.jsonObject(with: Data(written.text), options: .fragmentsAllowed)
      }
    }
    #expect(refused > 1_000)
  }
}
