import Foundation
import Testing

@testable import SallyportPracticeCluster

@Suite struct OpenAPITests {
  private var operations: [(path: String, method: String, json: JSON)] {
    (OpenAPIDocuments.v2JSON["paths"]?.object ?? [:]).flatMap { path, item in
      (item.object ?? [:]).map { (path, $0.key, $0.value) }
    }
  }

  /// Every operation must be one of a real server's, with the same name, action and kind.
  @Test func everyOperationIsOneOfARealServer() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../shared/kubernetes/openapi/v2.json")
    let places = [root.standardizedFileURL.path, "\(FileManager.default.currentDirectoryPath)/../shared/kubernetes/openapi/v2.json"]
    guard let data = places.lazy.compactMap({ FileManager.default.contents(atPath: $0) }).first else {
      #expect(ProcessInfo.processInfo.environment["CI"] != "true", "the real document must be there in CI")
      print("no folder ../shared/kubernetes: the operations are not compared")
      return
    }
    let real = try JSONReader.read(data)
    for (path, method, operation) in self.operations {
      let expected = real[["paths", path, method]]
      for key in ["operationId", "x-kubernetes-action", "x-kubernetes-group-version-kind", "tags"] {
        #expect(operation[key] == expected?[key], "\(method) \(path) \(key)")
      }
      // A parameter that a real server does not have would mislead a policy; `pretty` and a few are not served here.
      let known = self.parameterNames(expected, of: real).union(self.parameterNames(real[["paths", path]], of: real))
      let own = self.parameterNames(operation, of: OpenAPIDocuments.v2JSON)
      #expect(own.isSubset(of: known), "\(method) \(path): \(own.subtracting(known))")
    }
    #expect(self.operations.count > 120)
    for (name, definition) in OpenAPIDocuments.v2JSON["definitions"]?.object ?? [:] {
      let expected = real[["definitions", name]]
      #expect(
        Set((definition["properties"]?.object ?? [:]).keys) == Set((expected?["properties"]?.object ?? [:]).keys), "the fields of \(name)")
    }
  }

  private func parameterNames(_ item: JSON?, of document: JSON) -> Set<String> {
    Set(
      (item?["parameters"]?.array ?? []).compactMap { parameter in
        guard let reference = parameter["$ref"]?.string else { return parameter["name"]?.string }
        return document[["parameters", String(reference.dropFirst("#/parameters/".count)), "name"]]?.string
      })
  }

  /// The router and the documents come from one list; this holds them against each other.
  @Test func everyOperationIsServedAndNothingElse() throws {
    for (path, method, operation) in self.operations {
      let concrete = path.replacing("{namespace}", with: "dev").replacing("{name}", with: "x")
      switch Route(method: method.uppercased(), path: concrete) {
      case .methodNotAllowed, .notFound, .unknownPath: Issue.record("\(method) \(path) is described but not served")
      default: break
      }
      for other in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        guard OpenAPIDocuments.v2JSON[["paths", path, other.lowercased()]] == nil else { continue }
        guard case .methodNotAllowed = Route(method: other, path: concrete) else {
          Issue.record("\(other) \(path) is served but not described (\(operation["operationId"]?.string ?? ""))")
          continue
        }
      }
    }
  }

  @Test func everyReferenceLeadsToADefinition() throws {
    func references(_ json: JSON) -> [String] {
      switch json {
      case .object(let members): (members["$ref"]?.string).map { [$0] } ?? members.values.flatMap(references)
      case .array(let elements): elements.flatMap(references)
      default: []
      }
    }
    let v2 = OpenAPIDocuments.v2JSON
    for reference in Set(references(v2)) { #expect(v2[["definitions", String(reference.dropFirst("#/definitions/".count))]] != nil) }
    for (name, bytes) in OpenAPIDocuments.v3 {
      let v3 = try JSONReader.read(bytes)
      for reference in Set(references(v3)) {
        #expect(
          v3[["components", "schemas", String(reference.dropFirst("#/components/schemas/".count))]] != nil, "\(reference) in \(name)")
      }
    }
  }

  @Test func theIndexNamesEachDocumentWithItsHash() async throws {
    try await Fixture.with { fixture in
      let index = try await fixture.request("GET", "/openapi/v3")
      let paths = try #require(index.json["paths"]?.object)
      #expect(Set(paths.keys).isSuperset(of: ["api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "version"]))
      for (name, entry) in paths {
        let address = try #require(entry["serverRelativeURL"]?.string)
        #expect(address.hasPrefix("/openapi/v3/\(name)?hash="))
        #expect(try await fixture.request("GET", address).json["openapi"] == "3.0.0")
      }
      #expect(try await fixture.request("GET", "/openapi/v3/api/v2").status == 404)
    }
  }

  @Test func v2IsServedInTheFormThatIsAskedFor() async throws {
    try await Fixture.with { fixture in
      let json = try await fixture.request("GET", "/openapi/v2")
      #expect(json.json["swagger"] == "2.0")
      let wanted = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
      let protobuf = try await fixture.request("GET", "/openapi/v2", fields: ["Accept: \(wanted)"])
      #expect(protobuf.header("content-type") == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
      // Field 1, the version of Swagger; kubectl 1.20 reads the rest.
      #expect(protobuf.body.starts(with: [0x0A, 3] + Array("2.0".utf8)))
      #expect(try await fixture.request("GET", "/openapi/v2", fields: ["Accept: text/html"]).status == 406)
    }
  }

  @Test func theSchemasKnowHowListsAreMerged() {
    let containers = SchemaTable.schemas["PodSpec"]?.fields["containers"]
    #expect(containers?.mergeKey == "name" && containers?.listKeys == ["name"] && containers?.isRequired == true)
    let ports = SchemaTable.schemas["Container"]?.fields["ports"]
    #expect(ports?.mergeKey == "containerPort" && ports?.listKeys == ["containerPort", "protocol"])
    #expect(SchemaTable.schemas["ObjectMeta"]?.fields["finalizers"]?.isMerged == true)
    #expect(SchemaTable.schemas["DeploymentSpec"]?.fields["strategy"]?.retainsKeys == true)
  }
}
