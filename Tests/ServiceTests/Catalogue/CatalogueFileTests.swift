import SallyportPolicy
import TestSupport
import Testing

@testable import SallyportService

@Suite struct CatalogueFileTests {
  private let directory = TemporaryDirectory()

  @Test func aDocumentOfAFileIsReadWithItsWarnings() throws {
    let file = try self.directory.write(
      "openapi: 3.0.0\nservers: [{url: /v1}]\npaths: {/a: {get: {responses: {200: {$ref: x.yaml}}}}}\n", to: "api.yaml")
    let (catalogue, warnings) = try Catalogue.reading(file: file)
    #expect(catalogue.operations.map(\.path) == ["/v1/a"])
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("\(file)#/paths/~1a/get/responses/200/$ref: refers to nothing") == true)
    #expect(try Catalogue.reading(file: file, pathPrefix: "/v2").catalogue.operations.map(\.path) == ["/v2/a"])
  }

  @Test func everyFaultOfAFileIsNamedWithTheFile() throws {
    let file = try self.directory.write(#"{"swagger":"2.0","paths":{"a":{"get":{}},"/{b}{c}":{"put":{}}}}"#, to: "api.json")
    do {
      _ = try Catalogue.reading(file: file)
      Issue.record("the file was read")
    } catch {
      #expect(error.messages.count == 2)
      #expect(error.messages.allSatisfy { $0.hasPrefix("\(file)#/paths/") })
    }
    #expect(throws: StartFault.self) { try Catalogue.reading(file: "\(file).none") }
    #expect(throws: StartFault.self) { try Catalogue.reading(file: file, limits: .init(bytes: 10)) }
    #expect(throws: StartFault.self) { try Catalogue.reading(file: "/dev/zero", limits: .init(bytes: 1000, yamlBytes: 1000)) }
  }
}
