import Foundation
import NIOCore
import SallyportWire
import Testing

/// The HTTP/2 requests of the record: what passes the border is read as the API server read it, and what it answered
/// with an error of the protocol does not pass.
@Suite struct HTTP2RecordTests {
  struct Recorded: Sendable, CustomTestStringConvertible {
    let line: Int
    let fields: [(String, String)]
    let status: Int
    let audit: RecordedRequest.Reading?

    var testDescription: String { "line \(self.line): \(self.fields.map { "\($0)=\($1)" }.joined(separator: " ").debugDescription)" }

    static let all: [Recorded] = {
      guard let text = try? String(contentsOf: RecordedRequest.file, encoding: .utf8) else {
        return builtIn.compactMap { Self(0, json: $0) }
      }
      return text.split(separator: "\n").enumerated().compactMap { Self($0.offset + 1, json: String($0.element)) }
    }()

    private init?(_ line: Int, json: String) {
      guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any], object["cat"] as? String == "h2",
        let headers = object["headers"] as? [[String]], let status = object["status"] as? Int
      else { return nil }
      self.line = line
      // The record writes bytes as the characters U+0000 to U+00FF; the library below us decodes them as UTF-8.
      self.fields = headers.map { ($0[0], String(decoding: $0[1].unicodeScalars.map { UInt8($0.value) }, as: UTF8.self)) }
      self.status = status
      self.audit = (object["audit"] as? [String: Any]).map { audit in
        func text(_ key: String) -> String { audit[key] as? String ?? "" }
        return RecordedRequest.Reading(
          verb: text("verb"), apiGroup: text("apiGroup"), apiVersion: text("apiVersion"), resource: text("resource"),
          subresource: text("subresource"), namespace: text("namespace"), name: text("name"))
      }
    }

    private static let builtIn = [
      #"{"cat":"h2","headers":[[":method","GET"],[":scheme","https"],[":authority","a:6443"],[":path","/api/v1/namespaces/dev/%73ecrets/s1"]],"status":200,"audit":{"verb":"get","apiVersion":"v1","resource":"secrets","namespace":"dev","name":"s1"}}"#,
      #"{"cat":"h2","headers":[[":method","GET"],[":scheme","https"],[":authority","a:6443"],[":path","/healthz"],[":path","/api"]],"status":0}"#,
      #"{"cat":"h2","headers":[[":method","GET"],[":scheme","https"],[":authority","a:6443"],[":path","/api"],["connection","close"]],"status":400}"#,
    ]
  }

  @Test func theRecordHasThem() {
    #expect(Recorded.all.count == (RecordedRequest.all.isWholeRecord ? 41 : 3))
  }

  @Test(arguments: Recorded.all) func isReadAsTheServerReadItOrRefused(_ recorded: Recorded) throws {
    guard let head = try? readHTTP2Request(recorded.fields) else {
      // Refused: the server refused it too, or could read it in more than one way, and those are known by number.
      #expect(recorded.audit == nil || Self.servedButRefused.contains(recorded.line), "the server served it with \(recorded.status)")
      return
    }
    let audit = try #require(recorded.audit, "the server broke off the stream")
    #expect(!Self.servedButRefused.contains(recorded.line))
    #expect(RequestInfo(method: head.method, target: head.target).reading == audit)
  }

  /// Lines of the record: `*` of GET, a raw blank in the path and in the query, a method with a tab, no host or an empty
  /// one, authorities that are none, and an authority that differs from its host.
  private static let servedButRefused: Set<Int> = [430, 434, 437, 443, 447, 448, 449, 450, 451, 455]
}
