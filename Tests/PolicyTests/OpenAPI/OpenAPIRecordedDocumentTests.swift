import SallyportPolicy
import SallyportWire
import Testing

@Suite struct OpenAPIRecordedDocumentTests {
  @Test func theWholeDocumentOfAServerIsRead() throws {
    guard let document = try RecordedDocument.v2.document() else { return }
    #expect(document.version == .v2)
    #expect(document.warnings == [])
    #expect(document.operationsLeftOut == 0)
    let operations = document.catalogue.operations
    #expect(operations.count == 814)
    #expect(Set(operations.map(\.path)).count == 408)
    #expect(Set(operations.map(\.id)).count == 814)
    #expect(operations.filter { $0.action != nil && $0.kind != nil }.count == 767)
    let actions = Dictionary(grouping: operations.compactMap(\.action)) { $0 }.mapValues(\.count)
    #expect(
      actions == [
        "list": 93, "get": 96, "post": 70, "deletecollection": 59, "put": 95, "delete": 60, "patch": 94, "connect": 48,
        "watchlist": 92, "watch": 60,
      ])
    #expect(operations.filter(\.isOpenEnded).map(\.path).allSatisfy { $0.hasSuffix("/proxy/{path}") })
    #expect(operations.filter(\.isOpenEnded).count == 21)
  }

  @Test func aSecretsOperationSaysAllOfItself() throws {
    guard let document = try RecordedDocument.v2.document() else { return }
    let secret = GroupVersionKind(group: "", version: "v1", kind: "Secret")
    #expect(
      document.catalogue.operations.first { $0.id == "readCoreV1NamespacedSecret" }
        == Operation(
          id: "readCoreV1NamespacedSecret", method: .get, path: "/api/v1/namespaces/{namespace}/secrets/{name}", action: "get", kind: secret
        ))
    #expect(document.catalogue.kindsBySchema["io.k8s.api.core.v1.Secret"] == secret)
    #expect(document.catalogue.kindsBySchema["io.k8s.api.core.v1.SecretList"] == secret)
  }

  @Test(arguments: [RecordedDocument.v2, .v3Core]) func everyListIsItsItemsKind(recorded: RecordedDocument) throws {
    guard let document = try recorded.document() else { return }
    let kinds = document.catalogue.kindsBySchema
    #expect(kinds["io.k8s.api.core.v1.PodList"]?.kind == "Pod")
    #expect(kinds["io.k8s.api.core.v1.ConfigMapList"]?.kind == "ConfigMap")
    // Not lists of a resource's objects, and so what they are.
    #expect(kinds["io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList"]?.kind == "APIResourceList")
    // One kind for each group that uses them: none. (In its own document the core group names its own alone.)
    #expect((kinds["io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent"] == nil) == (recorded == .v2))
    #expect(kinds["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] == nil)
  }

  @Test func theTwoVersionsOfADocumentAgree() throws {
    guard let v2 = try RecordedDocument.v2.document()?.catalogue else { return }
    for (recorded, group, count) in [(RecordedDocument.v3Core, "api/v1", 248), (.v3Apps, "apis/apps/v1", 77)] {
      guard let v3 = try recorded.document(OpenAPIReader(scope: OpenAPIIndexKey(group))) else { return }
      #expect(v3.version == .v30)
      #expect(v3.warnings == [])
      let own = v2.operations.filter { $0.path.hasPrefix("/\(group)/") }
      #expect(own.count == count)
      #expect(Set(own) == Set(v3.catalogue.operations))
      for (name, kind) in v3.catalogue.kindsBySchema where !name.hasSuffix(".WatchEvent") && !name.hasSuffix(".DeleteOptions") {
        #expect(v2.kindsBySchema[name] == kind, "\(name)")
      }
    }
  }

  @Test func whatAnswersHoldIsFoundHoweverDeep() throws {
    for recorded in [RecordedDocument.v2, .v3Core] {
      guard let catalogue = try recorded.document()?.catalogue else { return }
      #expect(catalogue.schemasReachable(from: "io.k8s.api.core.v1.SecretList").contains("io.k8s.api.core.v1.Secret"))
      #expect(!catalogue.schemasReachable(from: "io.k8s.api.core.v1.ConfigMapList").contains("io.k8s.api.core.v1.Secret"))
      #expect(catalogue.schemasReachable(from: "io.k8s.api.core.v1.PodList").contains("io.k8s.api.core.v1.SecretVolumeSource"))
      #expect(catalogue.schemasReachable(from: "none such") == [])

      let answering = Set(catalogue.operations(answeringWith: ["io.k8s.api.core.v1.Secret"]).map { catalogue.operations[$0].id })
      #expect(
        answering == [
          "listCoreV1NamespacedSecret", "listCoreV1SecretForAllNamespaces", "createCoreV1NamespacedSecret",
          "readCoreV1NamespacedSecret", "replaceCoreV1NamespacedSecret", "patchCoreV1NamespacedSecret",
        ])
      let read = try #require(catalogue.operations.firstIndex { $0.id == "readCoreV1NamespacedSecret" })
      let held = catalogue.responseSchemas(ofOperationAt: read)
      #expect(held.contains("io.k8s.api.core.v1.Secret"))
      #expect(held.contains("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"))
      #expect(!held.contains("io.k8s.api.core.v1.Pod"))
    }
  }

  @Test func theIndexNamesEveryDocument() throws {
    guard let bytes = try RecordedDocument.v3Index.bytes() else { return }
    let index = try OpenAPIIndex(bytes, name: "index")
    #expect(index.entries.count == 47)
    #expect(index.warnings == [])
    #expect(index.entries.allSatisfy { $0.hash.count == 128 })
    let core = try #require(index.entries.first { $0.key.isCore })
    #expect(core.key.target == "/openapi/v3/api/v1")
    #expect(core.hash.hasPrefix("7C935E3BFAA5D62E"))
  }
}
