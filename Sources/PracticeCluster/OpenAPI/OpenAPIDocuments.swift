import Crypto
import NIOConcurrencyHelpers
import NIOHTTP1

/// The OpenAPI documents, v2 and v3: what this server serves, no more, made once when they are first asked for.
enum OpenAPIDocuments {
  static let v2JSON = OpenAPIv2.document(OperationCatalog.all)
  static let v2 = v2JSON.bytes
  static let v2Protobuf = OpenAPIv2Protobuf.bytes(of: v2JSON)

  /// The v3 documents by their names: `api/v1`, `apis/apps/v1`.
  static let v3: [String: [UInt8]] = Dictionary(grouping: OperationCatalog.all, by: \.document).mapValues {
    OpenAPIv3.document($0).bytes
  }

  /// The list of the v3 documents, each with a hash of its content in its address so that clients may keep it.
  static let v3Index: [UInt8] = {
    let paths = v3.map { name, document in
      let hash = SHA512.hash(data: document).map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
      return (name, JSON.object(["serverRelativeURL": .string("/openapi/v3/\(name)?hash=\(hash)")]))
    }
    return JSON.object(["paths": .object(Dictionary(uniqueKeysWithValues: paths))]).bytes
  }()

  /// The names of the schemas that operations exchange.
  static func schemas(of operations: [APIOperation]) -> Set<String> {
    var names: Set<String> = []
    for content in operations.flatMap({ [$0.body, $0.answer] }) {
      switch content {
      case .schema(let name): names.insert(name)
      case .patch: names.insert("Patch")
      case .none, .text: break
      }
    }
    return names
  }

  static let info: JSON = ["title": "Sallyport practice cluster", "version": .string(DiscoveryDocuments.gitVersion)]
  static let patchTypes = [
    "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
  ]

  static func summary(of parameter: String) -> String {
    parameter == "name" ? "the object's name" : "the namespace"
  }

  static func kind(_ kind: APIOperation.Kind) -> JSON {
    ["group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind)]
  }
}

/// OpenAPI v2 (Swagger), as `/openapi/v2` serves it in JSON.
enum OpenAPIv2 {
  private static let schemas = SchemaDocument(version: .v2)

  static func document(_ operations: [APIOperation]) -> JSON {
    var paths: [String: JSON] = [:]
    for operation in operations { paths[operation.path, default: [:]].set(self.operation(operation), at: operation.method) }
    return [
      "swagger": "2.0", "info": OpenAPIDocuments.info, "paths": .object(paths),
      "definitions": self.schemas.definitions(of: OpenAPIDocuments.schemas(of: operations)),
    ]
  }

  private static func operation(_ operation: APIOperation) -> JSON {
    var parameters: [JSON] = operation.pathParameters.map {
      [
        "name": .string($0), "in": "path", "required": true, "type": "string", "uniqueItems": true,
        "description": .string(OpenAPIDocuments.summary(of: $0)),
      ]
    }
    parameters += operation.query.map {
      ["name": .string($0.name), "in": "query", "type": .string($0.type), "uniqueItems": true, "description": .string($0.summary)]
    }
    var json: JSON = [
      "operationId": .string(operation.id), "description": .string(operation.summary), "tags": [.string(operation.tag)],
      "schemes": ["https"], "consumes": ["application/json"], "produces": ["application/json"],
    ]
    switch operation.body {
    case .schema(let name):
      // DeleteOptions may be left out.
      parameters.append(
        ["name": "body", "in": "body", "required": .bool(name != "DeleteOptions"), "schema": self.schemas.reference(to: name)])
    case .patch:
      json.set(JSON(OpenAPIDocuments.patchTypes), at: "consumes")
      parameters.append(["name": "body", "in": "body", "required": true, "schema": self.schemas.reference(to: "Patch")])
    case .none, .text: break
    }
    var response: JSON = ["description": "OK"]
    switch operation.answer {
    case .schema(let name): response.set(self.schemas.reference(to: name), at: "schema")
    case .text:
      response.set(["type": "string"], at: "schema")
      json.set(["text/plain"], at: "produces")
    case .none, .patch: break
    }
    json.set([operation.action == "post" ? "201" : "200": response, "401": ["description": "Unauthorized"]], at: "responses")
    if !parameters.isEmpty { json.set(.array(parameters), at: "parameters") }
    if let action = operation.action { json.set(.string(action), at: "x-kubernetes-action") }
    if let kind = operation.kind { json.set(OpenAPIDocuments.kind(kind), at: "x-kubernetes-group-version-kind") }
    return json
  }
}

/// OpenAPI v3: one document for each group and version.
enum OpenAPIv3 {
  private static let schemas = SchemaDocument(version: .v3)

  static func document(_ operations: [APIOperation]) -> JSON {
    var paths: [String: JSON] = [:]
    for operation in operations { paths[operation.path, default: [:]].set(self.operation(operation), at: operation.method) }
    return [
      "openapi": "3.0.0", "info": OpenAPIDocuments.info, "paths": .object(paths),
      "components": ["schemas": self.schemas.definitions(of: OpenAPIDocuments.schemas(of: operations))],
    ]
  }

  private static func operation(_ operation: APIOperation) -> JSON {
    var parameters: [JSON] = operation.pathParameters.map {
      [
        "name": .string($0), "in": "path", "required": true, "schema": ["type": "string", "uniqueItems": true],
        "description": .string(OpenAPIDocuments.summary(of: $0)),
      ]
    }
    parameters += operation.query.map {
      [
        "name": .string($0.name), "in": "query", "schema": ["type": .string($0.type), "uniqueItems": true],
        "description": .string($0.summary),
      ]
    }
    var json: JSON = ["operationId": .string(operation.id), "description": .string(operation.summary), "tags": [.string(operation.tag)]]
    if !parameters.isEmpty { json.set(.array(parameters), at: "parameters") }
    switch operation.body {
    case .schema(let name):
      let content: JSON = ["application/json": ["schema": self.schemas.reference(to: name)]]
      json.set(["content": content, "required": .bool(name != "DeleteOptions")], at: "requestBody")
    case .patch:
      let content = Dictionary(
        uniqueKeysWithValues: OpenAPIDocuments.patchTypes.map { ($0, ["schema": self.schemas.reference(to: "Patch")] as JSON) })
      json.set(["content": .object(content), "required": true], at: "requestBody")
    case .none, .text: break
    }
    var response: JSON = ["description": "OK"]
    switch operation.answer {
    case .schema(let name): response.set(["application/json": ["schema": self.schemas.reference(to: name)]], at: "content")
    case .text: response.set(["text/plain": ["schema": ["type": "string"]]], at: "content")
    case .none, .patch: break
    }
    json.set([operation.action == "post" ? "201" : "200": response, "401": ["description": "Unauthorized"]], at: "responses")
    if let action = operation.action { json.set(.string(action), at: "x-kubernetes-action") }
    if let kind = operation.kind { json.set(OpenAPIDocuments.kind(kind), at: "x-kubernetes-group-version-kind") }
    return json
  }
}

extension APIServer {
  /// `/openapi/v2`: JSON, or protobuf for a client that prefers it.
  func openAPIv2(_ exchange: Exchange) throws(APIError) -> APIResponse {
    for clause in MediaType.clauses(exchange.request.headers.first(name: "Accept") ?? "") {
      if clause.matchesJSON { return APIResponse(status: 200, body: .bytes(OpenAPIDocuments.v2)) }
      if OpenAPIv2Protobuf.askedFor.contains(clause.name) {
        return APIResponse(status: 200, contentType: OpenAPIv2Protobuf.mediaType, body: .bytes(OpenAPIDocuments.v2Protobuf))
      }
    }
    throw .notAcceptable(Representation.onlyJSON)
  }

  func openAPIv3(_ exchange: Exchange, _ name: String) -> APIResponse {
    if name.isEmpty { return APIResponse(status: 200, body: .bytes(OpenAPIDocuments.v3Index)) }
    guard let document = OpenAPIDocuments.v3[name] else { return .text("404 page not found\n", status: 404) }
    return APIResponse(status: 200, body: .bytes(document))
  }
}
