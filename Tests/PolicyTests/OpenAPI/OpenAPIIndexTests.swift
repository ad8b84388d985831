import SallyportPolicy
import Testing

@Suite struct OpenAPIIndexTests {
  @Test(arguments: [
    ("api/v1", "/api/v1/namespaces/{namespace}/secrets/{name}", true), ("api/v1", "/api/v1", true), ("api/v1", "/api/v1/", true),
    ("api/v1", "/api/v1beta1/pods", false), ("api/v1", "/api/v", false), ("api/v1", "/apis/apps/v1/x", false),
    ("api", "/api/", true), ("api", "/api", true), ("api", "/api/v1/secrets", false),
    ("apis/apps", "/apis/apps/", true), ("apis/apps", "/apis/apps/v1/deployments", false), ("apis", "/apis/apps/", false),
    ("apis/evil.example/v1", "/apis/evil.example/v1/things", true), ("apis/evil.example/v1", "/api/v1/secrets", false),
    ("apis/evil.example/v1", "/apis/evil.example/v10/things", false), ("apis/evil.example/v1", "/apis/evil.example/v2/things", false),
    ("apis/evil.example/v1/more", "/apis/evil.example/v1/more/things", false),
    ("version", "/version/", true), ("logs", "/logs/{logpath}", true),
    (".well-known/openid-configuration", "/.well-known/openid-configuration/", true),
    ("openid/v1/jwks", "/openid/v1/jwks/", true), ("openid/v1/jwks", "/api/v1/secrets", false),
  ]) func aDocumentSpeaksForItsOwnPathsAlone(key: String, path: String, covers: Bool) throws {
    #expect(try #require(OpenAPIIndexKey(key)).covers(path) == covers)
  }

  @Test(arguments: ["", "/", "/api/v1", "api/v1/", "api//v1", "api/../v1", ".", "api/v1?x", "api/%2e", "api/v1 ", "a/b/c/d/e/f/g/h/i", "ä"])
  func whatIsNoPlainPathIsNoKey(text: String) {
    #expect(OpenAPIIndexKey(text) == nil)
  }

  @Test func whatADocumentSaysOfOthersIsLeftOut() throws {
    let text = openAPI(
      """
      "/apis/evil.example/v1/things":{"get":{"operationId":"listThings"}},
      "/api/v1/secrets":{"get":{"operationId":"listCoreV1SecretForAllNamespaces"}},
      "/things":{"servers":[{"url":"/api/v1"}],"put":{}},
      "/apis/evil.example/v1/../../../api/v1/secrets":{"get":{}}
      """)
    let document = try read(text, OpenAPIReader(faultyOperations: .leaveOut, scope: OpenAPIIndexKey("apis/evil.example/v1")))
    #expect(document.lines == ["GET /apis/evil.example/v1/things listThings"])
    #expect(document.operationsLeftOut == 3)
    #expect(
      document.warnings.map(\.pointer) == [
        "/paths/~1api~1v1~1secrets/get", "/paths/~1things/put", "/paths/~1apis~1evil.example~1v1~1..~1..~1..~1api~1v1~1secrets/get",
      ])
    #expect(document.warnings.first?.message.contains("for which this document does not speak") == true)
  }

  @Test func anIndexIsReadInTheOrderOfTrust() throws {
    let index = try OpenAPIIndex(
      Array(
        """
        {"paths":{"apis/aaa.example/v1":{"serverRelativeURL":"/openapi/v3/apis/aaa.example/v1?hash=A"},
        "apis/rbac.authorization.k8s.io/v1":{"serverRelativeURL":"https://evil.example/x?a=b&hash=B&c"},
        "apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1"},
        "api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=D"},"version":{"serverRelativeURL":"?hash="},
        "../api/v1":{"serverRelativeURL":"x"},"apis":{}}}
        """.utf8), name: "index")
    #expect(
      index.entries.map { "\($0.key) \($0.hash)" } == [
        "api/v1 D", "version ", "apis/apps/v1 ", "apis/rbac.authorization.k8s.io/v1 B", "apis/aaa.example/v1 A",
      ])
    // Whatever address an index gives, a document is asked for by its key.
    #expect(index.entries.map(\.key.target).allSatisfy { $0.hasPrefix("/openapi/v3/") })
    #expect(index.warnings.map(\.pointer) == ["/paths/..~1api~1v1", "/paths/apis"])
  }

  @Test(arguments: ["", "[]", "{}", #"{"paths":[]}"#, "not json", #"{"paths":{"#]) func whatIsNoIndexIsRefused(text: String) {
    #expect(throws: OpenAPIFaults.self) { try OpenAPIIndex(Array(text.utf8), name: "index") }
  }
}

@Suite struct CatalogueMergingTests {
  private func document(_ key: String, _ operations: [(path: String, id: String)], schemas: String = "") throws -> (
    key: OpenAPIIndexKey, document: OpenAPIDocument
  ) {
    let paths = operations.map {
      ##""\##($0.path)":{"get":{"operationId":"\##($0.id)","responses":{"200":{"$ref":"#/components/schemas/S"}}}}"##
    }
    let key = try #require(OpenAPIIndexKey(key))
    let text = openAPI(paths.joined(separator: ","), #""components":{"schemas":{"S":{}\#(schemas.isEmpty ? "" : ",")\#(schemas)}}"#)
    return (key, try OpenAPIReader(faultyOperations: .leaveOut, scope: key).read(Array(text.utf8), name: key.description))
  }

  private func kind(_ name: String, _ group: String) -> String {
    #""\#(name)":{"x-kubernetes-group-version-kind":[{"group":"\#(group)","version":"v1","kind":"K"}]}"#
  }

  @Test func noDocumentTakesAnothersName() throws {
    let evil = try self.document("apis/aaa.example/v1", [("/apis/aaa.example/v1/x", "listPods"), ("/apis/aaa.example/v1/y", "listY")])
    let core = try self.document("api/v1", [("/api/v1/pods", "listPods")])
    for order in [[evil, core], [core, evil]] {
      let (catalogue, warnings) = Catalogue.merging(order)
      #expect(catalogue.operations.map { "\($0.id) \($0.path)" } == ["listPods /api/v1/pods", "listY /apis/aaa.example/v1/y"])
      #expect(
        warnings.map(\.description) == [
          "apis/aaa.example/v1: GET /apis/aaa.example/v1/x has the operationId of GET /api/v1/pods, which goes before it; it is left out"
        ])
      #expect(catalogue.operations(answeringWith: ["S"]) == [0, 1])
    }
  }

  @Test func noDocumentMakesSomethingElseOfAKubernetesSchema() throws {
    let name = "io.k8s.api.core.v1.Secret"
    let evil = try self.document(
      "apis/aaa.example/v1", [], schemas: self.kind(name, "aaa.example") + "," + self.kind("aaa.Own", "aaa.example"))
    let (alone, _) = Catalogue.merging([evil])
    #expect(alone.kindsBySchema == ["aaa.Own": GroupVersionKind(group: "aaa.example", version: "v1", kind: "K")])
    let core = try self.document("api/v1", [], schemas: self.kind(name, "") + "," + self.kind("aaa.Own", ""))
    let (both, _) = Catalogue.merging([evil, core])
    #expect(both.kindsBySchema[name]?.group == "")
    #expect(both.kindsBySchema["aaa.Own"]?.group == "")
  }

  @Test func schemasOfOneNameHoldWhatEitherSays() throws {
    let one = try self.document("api/v1", [("/api/v1/a", "a")], schemas: ##""T":{"$ref":"#/components/schemas/S"},"U":{}"##)
    let two = try self.document("apis/apps/v1", [("/apis/apps/v1/b", "b")], schemas: ##""T":{"$ref":"#/components/schemas/V"},"V":{}"##)
    let (catalogue, warnings) = Catalogue.merging([two, one])
    #expect(warnings == [])
    #expect(catalogue.schemasReachable(from: "T") == ["T", "S", "V"])
    #expect(catalogue.operations(answeringWith: ["S"]).map { catalogue.operations[$0].id } == ["a", "b"])
  }

  @Test func documentsBeyondTheLimitAreLeftOutWhole() throws {
    let one = try self.document("api/v1", [("/api/v1/a", "a"), ("/api/v1/b", "b")])
    let two = try self.document("apis/apps/v1", [("/apis/apps/v1/b", "c")])
    let (catalogue, warnings) = Catalogue.merging([one, two], mostOperations: 2)
    #expect(catalogue.operations.map(\.id) == ["a", "b"])
    #expect(warnings.map(\.description) == ["apis/apps/v1: is left out: the documents describe more than 2 operations"])
  }
}
