import Testing

@testable import SallyportPracticeCluster

/// How targets, queries, times and protobuf are read.
@Suite struct ReadingTests {
  @Test(arguments: [
    ("/a%2Fb", "/a/b"), ("/a%252F", "/a%2F"), ("*", "*"), ("https://u:p@h/x?y", "/x"), ("https:/x", "/x"), ("https://h", ""),
    ("mailto:x", ""), ("//a//b", "//a//b"), ("/a#b", "/a#b"), ("/%zz", nil), ("/%2", nil), ("a/b", nil), (":x", nil), ("", nil),
    ("/a\tb", nil),
    ("/a\u{7F}", nil), ("1a:/x", nil), ("/%ff", "/\u{FFFD}"),
  ])
  func targetsAreReadAsGoReadsThem(_ target: String, _ path: String?) { #expect(GoURL(requestURI: target)?.path == path) }

  @Test(arguments: [
    ("watch", true), ("watch=", true), ("watch=1", true), ("watch=f", true), ("watch=0", false), ("watch=FALSE", false),
    ("watch=%30", false),
    ("watch=0&watch=1", false), ("%77atch=1", true), ("Watch=1", false), ("watch=1;x", false), ("watch=%zz", false),
    ("a=%zz&watch=1", true),
    ("watch=0+", true), ("", false),
  ])
  func switchesAreReadAsKubernetesReadsThem(_ query: String, _ isOn: Bool) { #expect(GoQuery(query).flag("watch") == isOn) }

  @Test(arguments: [
    ("1h30m", 5400.0), ("500ms", 0.5), ("1ns", 1e-9), ("0", 0), ("1.5s", 1.5), ("abc", nil), ("5", nil), ("", nil), ("-", nil),
  ])
  func durationsAreReadAsGoReadsThem(_ text: String, _ seconds: Double?) {
    #expect(GoDuration.parse(text) == seconds.map { .seconds($0) })
  }

  @Test(arguments: [
    (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (600, "10m"), (7200, "120m"), (10_800, "3h"), (11_000, "3h3m"), (86_400, "24h"),
    (172_800, "2d"), (180_000, "2d2h"), (864_000, "10d"), (63_072_000, "2y"), (70_000_000, "2y80d"), (300_000_000, "9y"), (-5, "<invalid>"),
  ])
  func agesAreShownAsKubectlShowsThem(_ seconds: Int, _ text: String) { #expect(Age.text(seconds: seconds) == text) }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":}", "01", "1.", "-", "+1", "nul", "\"\\x\"", "\"a", "\"\n\"", "1 2", "{\"a\":1,}", "{a:1}", "\"\\ud83\"",
    "1e400",
    String(repeating: "[", count: 300),
  ])
  func whatIsNoJSONIsRefused(_ text: String) { #expect(throws: JSONReader.Failure.self) { try JSONReader.read(text) } }

  @Test func jsonIsReadAndWrittenBack() throws {
    let text = #"{"kind":"A","metadata":{"name":"x"},"a":[1,-2.5,true,false,null,"\"\\\n\u0001é😀/"],"b":{},"big":9223372036854775807}"#
    #expect(try JSONReader.read(text).text == text)
    #expect(try JSONReader.read(#""\ud83d\ude00\u00e9\/\ud800""#) == "😀é/\u{FFFD}")
    #expect(try JSONReader.read(#"{"a":1,"a":2}"#) == ["a": 2])
    #expect(try JSONReader.read("1.0").text == "1")
  }

  @Test func protobufOfAConfigMapIsRead() throws {
    var message = ProtobufWriter()
    message.write(1) { metadata in
      metadata.write(1, "x")
      metadata.write(2, "")
      metadata.write(8) { _ in }
      metadata.write(11) { entry in
        entry.write(1, "app")
        entry.write(2, "web")
      }
    }
    message.write(2) { entry in
      entry.write(1, "color")
      entry.write(2, "red")
    }
    let object = try ProtobufReader.object(in: Self.envelope("v1", "ConfigMap", message.bytes))
    let expected = #"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","labels":{"app":"web"}},"data":{"color":"red"}}"#
    #expect(object == (try JSONReader.read(expected)))
  }

  @Test func brokenProtobufIsRefused() {
    let good = Self.envelope("v1", "ConfigMap", [0x0A, 3, 0x0A, 1, 0x78])
    #expect(throws: Never.self) { try ProtobufReader.object(in: good) }
    var bad = [Array(good.dropFirst()), Array(good.dropLast()), Self.envelope("v1", "ConfigMap", [0x0D, 0, 0, 0, 0])]
    bad.append(Self.envelope("v1", "Node", [0x0A, 0]))
    bad.append(Self.envelope("v1", "ConfigMap", [0x78, 1]))
    bad.append(Self.envelope("v1", "ConfigMap", [0x08, 1]))
    bad.append(Self.envelope("v1", "ConfigMap", [UInt8](repeating: 0xFF, count: 11)))
    for bytes in bad { #expect(throws: ProtobufReader.Failure.self) { try ProtobufReader.object(in: bytes) } }
  }

  private static func envelope(_ version: String, _ kind: String, _ message: [UInt8]) -> [UInt8] {
    var envelope = ProtobufWriter()
    envelope.write(1) { type in
      type.write(1, version)
      type.write(2, kind)
    }
    envelope.write(2) { raw in raw.append(message) }
    return [0x6B, 0x38, 0x73, 0x00] + envelope.bytes
  }

  @Test(arguments: [
    ("", "plain"), ("*/*", "plain"), ("application/*", "plain"), ("application/xml, application/json;q=0.1", "plain"),
    ("application/json;as=Table;v=v1;g=meta.k8s.io", "table"), ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "plain"),
    ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", "table"), ("application/json;q=0", nil), ("text/html", nil),
    ("application/cbor", nil),
    ("application/json;q=0.5,application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9", "table"),
    ("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "metadata"),
    ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json", nil),
    ("application/json;as=Teapot;v=v1;g=meta.k8s.io,application/json", "plain"),
  ])
  func theFormOfAnAnswerIsNegotiated(_ accept: String, _ expected: String?) {
    let found = try? Representation(accept: accept, query: GoQuery(""), isList: false)
    let name =
      switch found {
      case .plain: "plain"
      case .table: "table"
      case .partialMetadata: "metadata"
      case nil: String?.none
      }
    #expect(name == expected)
  }
}

extension ProtobufWriter {
  fileprivate mutating func append(_ bytes: [UInt8]) { self.bytes += bytes }
}
