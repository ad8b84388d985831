import Foundation
import SallyportCore
import SallyportPolicy
import SallyportWire
import Testing

/// A plain API that nobody told of Kubernetes: only `paths` and `operations` speak of it.
@Suite struct GenericUpstreamTests {
  static let pets = """
    openapi: 3.0.3
    info: {title: Pets, version: "1"}
    servers: [{url: https://pets.example.org/v2}]
    paths:
      /pets:
        get: {operationId: listPets, responses: {"200": {description: all}}}
        post: {operationId: addPet, responses: {"201": {description: one}}}
      /pets/{id}:
        get: {operationId: getPet, responses: {"200": {description: one}}}
        delete: {operationId: removePet, responses: {"204": {description: gone}}}
      /pets/{id}/photos/{photo}.{format}:
        get: {operationId: getPhoto, responses: {"200": {description: one}}}
    """

  static func catalogue() throws -> Catalogue { try OpenAPIReader(pathPrefix: "").read(Array(self.pets.utf8), name: "pets.yaml").catalogue }

  static func court(_ rules: String, default effect: String? = nil) throws -> Court {
    try Court(rules, default: effect, catalogue: self.catalogue(), reading: .generic)
  }

  static let rules = [
    "- {name: r, deny: [{paths: [\"/pets/{id}\"], methods: [GET]}]}", "- {name: r, deny: [{operations: [getPet]}]}",
  ]

  @Test(arguments: rules) func onePetIsDenied(_ rule: String) throws {
    let court = try Self.court(rule)
    for request in [
      "GET /pets/1", "GET /pets/1/", "GET /pets/1?x=/pets", "GET /pets/%31", "GET /Pets/1", "GET /pets;a=b/1", "HEAD /pets/1",
      "GET /pets./1", "GET /pets%20/1", "GET /PETS.;x/1",
    ] {
      #expect(try court.denies(request), "\(request)")
    }
    for request in ["GET /pets", "DELETE /pets/1", "GET /pets/1/photos", "GET /petsx/1", "GET /v2/pets/1", "GET /"] {
      #expect(try !court.denies(request), "\(request)")
    }
  }

  @Test func whatReadsTwoWaysNeverGetsToTheRules() throws {
    let court = try Self.court(Self.rules[0])
    for request in [
      "GET /pets%2F1", "GET //pets/1", "GET /x/../pets/1", "GET /pets//1", "GET /pets/%2e/1", "GET /pets\\1",
      "GET /;x/pets/1", "GET /pets/;/1", "GET /%2570ets/1", "GET /pets%252F1", "GET /x/%252e%252e/pets/1",
    ] {
      #expect(throws: MalformedMessage.self, "\(request)") { try court.denies(request) }
    }
  }

  @Test func anAllowIsExact() throws {
    for rule in ["- {name: r, allow: [{paths: [\"/pets/{id}\"], methods: [GET]}]}", "- {name: r, allow: [{operations: [getPet]}]}"] {
      let court = try Self.court(rule, default: "deny")
      #expect(try !court.denies("GET /pets/1"))
      for request in ["GET /pets/1/", "GET /Pets/1", "GET /pets;a/1", "HEAD /pets/1", "GET /pets/", "GET /pets", "POST /pets/1"] {
        #expect(try court.denies(request), "\(request)")
      }
    }
  }

  @Test func aSegmentMayBeAParameterInPart() throws {
    let court = try Self.court("- {name: r, deny: [{operations: [getPhoto]}]}")
    #expect(try court.denies("GET /pets/1/photos/face.png"))
    #expect(try !court.denies("GET /pets/1/photos/face"))
    let paths = try Self.court("- {name: r, deny: [{paths: [\"/pets/{id}/photos/{p}.png\"]}]}")
    for request in ["GET /pets/1/photos/face.PNG", "GET /pets/1/photos/face.png;v=1", "GET /pets/1/Photos/face.Png. "] {
      #expect(try paths.denies(request.replacing(". ", with: ".%20")), "\(request)")
    }
    #expect(try !paths.denies("GET /pets/1/photos/face.gif"))
  }

  @Test func anUnknownOperationIsNoResourceHere() throws {
    #expect(try !Self.court(Self.rules[1]).denies("GET /cats"))
    #expect(try !Self.court("- {name: r, deny: [{returns: [Pet]}]}").denies("GET /pets"))
  }

  @Test func aKubernetesPathIsOnlyAPath() throws {
    let court = try Self.court("- {name: r, deny: [{resources: [secrets]}, {paths: [\"/api/v1/secrets\"], namespaces: [prod]}]}")
    #expect(try !court.denies("GET /api/v1/namespaces/d/secrets"))
    #expect(try court.denies("GET /api/v1/secrets"), "a namespace that cannot be seen may be any")
    let unless = try Self.court("- {name: r, deny: [{paths: [\"/**\"]}], unless: {namespaces: [\"*\"]}}")
    #expect(try unless.denies("GET /api/v1/namespaces/d/secrets"))
  }
}
