import Foundation
import TestSupport
import Testing

@testable import SallyportPracticeCluster

/// Answers over the wire: codes, texts, pages, tables, dry runs.
@Suite struct ServingTests {
  @Test func aListIsReadInPages() async throws {
    try await Fixture.with { fixture in
      let path = "/api/v1/pods?limit=2&labelSelector=app"
      var names: [String] = []
      var token = ""
      var pages = 0
      repeat {
        let page = try await fixture.request("GET", token.isEmpty ? path : "\(path)&continue=\(token)").json
        names += (page["items"]?.array ?? []).compactMap { $0[["metadata", "name"]]?.string }
        token = (page[["metadata", "continue"]]?.string ?? "").replacing("+", with: "%2B").replacing("=", with: "%3D")
        if pages == 0 { #expect(page[["metadata", "remainingItemCount"]] == 3) }
        pages += 1
      } while !token.isEmpty && pages < 10
      #expect(pages == 3 && names == ["web-0", "web-1", "web-2", "shop-0", "shop-1"])
    }
  }

  @Test func aTableHasTheUsualColumns() async throws {
    try await Fixture.with { fixture in
      let accept = ["Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json"]
      let table = try await fixture.request("GET", "/api/v1/namespaces/dev/pods", fields: accept).json
      #expect(table["kind"] == "Table" && table["apiVersion"] == "meta.k8s.io/v1")
      let columns = (table["columnDefinitions"]?.array ?? []).map { "\($0["name"]?.string ?? "")/\($0["priority"]?.integer ?? -1)" }
      #expect(
        columns == ["Name/0", "Ready/0", "Status/0", "Restarts/0", "Age/0", "IP/1", "Node/1", "Nominated Node/1", "Readiness Gates/1"])
      let row = table["rows"]?.array?.first
      #expect(row?["cells"]?.array?.prefix(4) == ["web-0", "1/1", "Running", "0"])
      #expect(row?[["object", "kind"]] == "PartialObjectMetadata" && row?[["object", "spec"]] == nil)
      for (type, first) in [
        ("nodes", "practice-node"), ("services", "kubernetes"), ("namespaces", "default"), ("secrets", "shop-login"), ("events", nil),
      ] {
        let table = try await fixture.request("GET", "/api/v1/\(type)", fields: accept).json
        #expect(table["rows"]?.array?.first?["cells"]?.array?.first?.string == first || type == "secrets")
        #expect(table["rows"]?.array?.first.map { $0["cells"]?.array?.count == table["columnDefinitions"]?.array?.count } ?? true)
      }
    }
  }

  @Test func writesGoThroughTheirCodes() async throws {
    try await Fixture.with { fixture in
      let path = "/api/v1/namespaces/dev/configmaps"
      let body = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1"}}"#
      let dry = try await fixture.request("POST", "\(path)?dryRun=All", body: body)
      #expect(dry.status == 201)
      #expect(try await fixture.request("GET", "\(path)/x").status == 404)
      let made = try await fixture.request("POST", path, body: body)
      #expect(made.status == 201 && made.json[["metadata", "uid"]]?.string?.count == 36)
      let again = try await fixture.request("POST", path, body: body)
      #expect(again.status == 409 && again.json["message"] == #"configmaps "x" already exists"# && again.json["reason"] == "AlreadyExists")

      let old = try #require(made.json[["metadata", "resourceVersion"]]?.string)
      var next = made.json
      next.set("2", at: "data", "a")
      let updated = try await fixture.request("PUT", "\(path)/x", body: next.text)
      #expect(updated.status == 200 && updated.json[["metadata", "resourceVersion"]]?.string != old)
      let stale = try await fixture.request("PUT", "\(path)/x", body: next.text)
      #expect(stale.status == 409 && stale.json["reason"] == "Conflict")
      let unchanged = try await fixture.request("PUT", "\(path)/x", body: updated.json.text)
      #expect(unchanged.json[["metadata", "resourceVersion"]] == updated.json[["metadata", "resourceVersion"]], "nothing changed")

      let gone = try await fixture.request("DELETE", "\(path)/x")
      #expect(gone.status == 200 && gone.json["status"] == "Success" && gone.json[["details", "name"]] == "x")
      #expect(try await fixture.request("DELETE", "\(path)/x").status == 404)
    }
  }

  @Test(arguments: [
    (
      "POST", "/api/v1/namespaces/dev/configmaps", "application/json", #"{"metadata":{"name":"Bad_Name"}}"#, 422,
      "metadata.name: Invalid value"
    ),
    (
      "POST", "/api/v1/namespaces/dev/configmaps", "application/json", #"{"metadata":{"name":"x"},"data":{"a b":"1"}}"#, 422,
      "valid config key"
    ),
    (
      "POST", "/api/v1/namespaces/dev/configmaps", "application/json", #"{"metadata":{"name":"x","namespace":"prod"}}"#, 400,
      "does not match"
    ),
    (
      "POST", "/api/v1/namespaces/none/configmaps", "application/json", #"{"metadata":{"name":"x"}}"#, 404,
      #"namespaces \"none\" not found"#
    ),
    (
      "POST", "/api/v1/namespaces/dev/configmaps", "application/json", #"{"kind":"Secret","apiVersion":"v1"}"#, 400,
      "cannot be handled as a ConfigMap"
    ),
    ("POST", "/api/v1/namespaces/dev/configmaps", "application/json", #"{"data":{"a":1}}"#, 400, "cannot unmarshal number"),
    ("POST", "/api/v1/namespaces/dev/configmaps", "application/json", "{", 400, "json parse error"),
    ("POST", "/api/v1/namespaces/dev/configmaps", "text/yaml", "a: b", 415, "accepted media types"),
    ("POST", "/api/v1/namespaces/dev/secrets", "application/json", #"{"metadata":{"name":"x"},"data":{"a":"%"}}"#, 400, "illegal base64"),
    (
      "POST", "/api/v1/namespaces/dev/pods", "application/json", #"{"metadata":{"name":"x"},"spec":{}}"#, 422,
      "spec.containers: Required value"
    ),
    (
      "PATCH", "/api/v1/namespaces/dev/pods/web-0", "application/merge-patch+json", #"{"spec":{"nodeName":"other"}}"#, 422,
      "pod updates may not change fields"
    ),
    (
      "PATCH", "/api/v1/namespaces/dev/pods/web-0", "application/merge-patch+json", #"{"metadata":{"name":"y"}}"#, 422, "field is immutable"
    ),
    ("PATCH", "/api/v1/namespaces/dev/pods/none", "application/merge-patch+json", "{}", 404, "not found"),
    ("PATCH", "/api/v1/namespaces/dev/pods/web-0", "application/json-patch+json", "{}", 400, "array of operations"),
    ("PATCH", "/api/v1/namespaces/dev/pods/web-0", "application/apply-patch+yaml", "{}", 422, "fieldManager: Required value"),
    ("PUT", "/api/v1/namespaces/dev/pods/web-0", "application/json", #"{"metadata":{"name":"web-1"}}"#, 400, "does not match the name"),
    ("DELETE", "/api/v1/namespaces/dev/pods/web-0?propagationPolicy=Maybe", "application/json", "", 422, "Unsupported value"),
    ("POST", "/api/v1/namespaces/dev/configmaps?dryRun=all", "application/json", "{}", 422, #"supported values: \"All\""#),
  ])
  func aBadWriteIsRefused(_ method: String, _ target: String, _ type: String, _ body: String, _ status: Int, _ text: String) async throws {
    try await Fixture.with { fixture in
      let answer = try await fixture.request(method, target, body: body, contentType: type)
      #expect(answer.status == status)
      #expect(answer.json["kind"] == "Status" && answer.json["code"]?.integer == Int64(status))
      #expect(answer.text.contains(text), "\(answer.text)")
    }
  }

  @Test func unknownFieldsWarnOrFailAsAskedFor() async throws {
    try await Fixture.with { fixture in
      let path = "/api/v1/namespaces/dev/configmaps?dryRun=All&fieldValidation="
      let body = #"{"metadata":{"name":"x","lables":{}},"daata":{}}"#
      let strict = try await fixture.request("POST", path + "Strict", body: body)
      #expect(
        strict.status == 400 && strict.text.contains(#"strict decoding error: unknown field \"daata\", unknown field \"metadata.lables\""#))
      let warned = try await fixture.request("POST", path + "Warn", body: body)
      #expect(warned.status == 201 && warned.headers.count { $0.name == "warning" } == 2)
      #expect(warned.header("warning") == #"299 - "unknown field \"daata\"""#)
      let ignored = try await fixture.request("POST", path + "Ignore", body: body)
      #expect(ignored.status == 201 && ignored.header("warning") == nil)
    }
  }

  @Test func statusIsWrittenThroughItsSubresourceOnly() async throws {
    try await Fixture.with { fixture in
      let pod = "/api/v1/namespaces/dev/pods/web-0"
      let patch = #"{"status":{"phase":"Failed"},"metadata":{"labels":{"x":"y"}}}"#
      let direct = try await fixture.request("PATCH", pod, body: patch, contentType: "application/merge-patch+json")
      #expect(direct.json[["status", "phase"]] == "Running" && direct.json[["metadata", "labels", "x"]] == "y")
      let status = try await fixture.request(
        "PATCH", "\(pod)/status", body: #"{"status":{"phase":"Failed"},"metadata":{"labels":{"x":"z"}}}"#,
        contentType: "application/merge-patch+json")
      #expect(status.json[["status", "phase"]] == "Failed" && status.json[["metadata", "labels", "x"]] == "y")
    }
  }

  @Test func anObjectWithAFinalizerWaitsForIt() async throws {
    try await Fixture.with { fixture in
      try fixture.cluster.seed(
        #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"f","namespace":"dev","finalizers":["example.com/x"]}}"#)
      let path = "/api/v1/namespaces/dev/configmaps/f"
      let marked = try await fixture.request("DELETE", path)
      #expect(marked.json[["metadata", "deletionTimestamp"]]?.string != nil)
      #expect(try await fixture.request("GET", path).status == 200)
      _ = try await fixture.request(
        "PATCH", path, body: #"{"metadata":{"finalizers":null}}"#, contentType: "application/merge-patch+json")
      #expect(try await fixture.request("GET", path).status == 404)
    }
  }

  @Test func aBodyThatIsTooLargeIsRefused() async throws {
    try await Fixture.with { fixture in
      let body = #"{"metadata":{"name":"x"},"data":{"a":""# + String(repeating: "x", count: ConnectionHandler.maximumBody) + #""}}"#
      let answer = try await fixture.request("POST", "/api/v1/namespaces/dev/configmaps", body: body)
      #expect(answer.status == 413)
    }
  }

  @Test func requestsOnOneConnectionAreAnsweredInOrder() async throws {
    try await Fixture.with { fixture in
      let client = try await fixture.connect(as: fixture.pki.frontProxy)
      let identity = "Host: x\r\nX-Remote-User: a\r\nX-Remote-Group: view\r\n"
      // The second request comes while the first, a watch of one second, is still being answered.
      try await client.send(
        "GET /api/v1/namespaces/dev/pods?watch=1&timeoutSeconds=1 HTTP/1.1\r\n\(identity)\r\nGET /version HTTP/1.1\r\n\(identity)Connection: close\r\n\r\n"
      )
      let text = String(decoding: try await client.bytes(), as: UTF8.self)
      let watch = try #require(text.range(of: #""type":"ADDED""#))
      let version = try #require(text.range(of: "v1.36.0-practice"))
      #expect(watch.lowerBound < version.lowerBound && text.hasSuffix("}"))
    }
  }

  @Test func aWatchEndsAtItsTimeAndTellsBookmarks() async throws {
    try await Fixture.with { fixture in
      let answer = try await fixture.request("GET", "/api/v1/namespaces/dev/pods?watch=1&timeoutSeconds=1&allowWatchBookmarks=true")
      let kinds = try answer.body.split(separator: 0x0A).map { try JSONReader.read($0)["type"]?.string }
      #expect(kinds == ["ADDED", "ADDED", "ADDED", "BOOKMARK"])
    }
  }

  @Test func aRevisionFromLongAgoEndsTheWatchWithAnError() async throws {
    try await Fixture.with { fixture in
      for _ in 0...ObjectStore.historyLimit { try fixture.cluster.seed(#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}"#) }
      let answer = try await fixture.request("GET", "/api/v1/configmaps?watch=1&resourceVersion=1")
      #expect(answer.status == 200)
      #expect(answer.json["type"] == "ERROR" && answer.json[["object", "code"]] == 410 && answer.json[["object", "reason"]] == "Expired")
    }
  }

  @Test func itSaysWhatItIs() async throws {
    try await Fixture.with { fixture in
      let answer = try await fixture.request("GET", "/version", fields: ["Audit-ID: chosen"])
      #expect(answer.header("server") == "sallyport-practice-cluster" && answer.header("audit-id") == "chosen")
      #expect(answer.json["gitVersion"] == "v1.36.0-practice")
    }
  }

  @Test func seedsAreChecked() async throws {
    try await Fixture.with { fixture in
      #expect(throws: SeedError.self) { try fixture.cluster.seed("{") }
      #expect(throws: SeedError.self) { try fixture.cluster.seed(#"{"apiVersion":"v1","kind":"Teapot","metadata":{"name":"x"}}"#) }
      #expect(throws: SeedError.self) { try fixture.cluster.seed(#"{"apiVersion":"v1","kind":"Pod","metadata":{}}"#) }
    }
  }
}
