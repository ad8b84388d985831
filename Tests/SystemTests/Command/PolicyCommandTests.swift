import Foundation
import TestSupport
import Testing

extension SystemTests {
  @Suite struct PolicyCommandTests {
    static let policies = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../policies").standardizedFileURL.path

    @Test(arguments: [
      (["--user", "alice", "GET", "/api/v1/secrets"], 3, "DENIED by secrets-are-private/no-secret-reads"),
      (["--user", "sue", "--groups", "ops,security", "GET", "/api/v1/secrets"], 0, "ALLOWED"),
      (["--user", "sue", "--group", "security", "--as", "bob", "GET", "/api/v1/secrets"], 3, "for bob, whom the user would act as"),
      (["--user", "sue", "GET", "/api/v1/../secrets"], 3, "REFUSED with 400"),
      (["--user", "alice", "--output", "json", "GET", "/api/v1/pods"], 0, "\"verdict\" : \"allow\""),
    ])
    func explainSaysItAlsoByItsExitStatus(_ arguments: [String], _ status: Int32, _ words: String) async throws {
      let run = try await run(
        Installation.sallyport, ["policy", "explain", "--policy", "\(Self.policies)/secrets-are-private.yaml"] + arguments)
      #expect(run.status == status && run.errors.isEmpty, "\(run.transcript)")
      #expect(run.output.contains(words), "\(run.transcript)")
    }

    @Test func theShippedPoliciesPassTheirTests() async throws {
      let run = try await sallyport("policy", "test", "\(Self.policies)/*.yaml")
      #expect(run.status == 0 && run.errors.isEmpty, "\(run.transcript)")
      #expect(run.output.hasSuffix(" cases of 8 policies: all pass\n"), "\(run.transcript)")
    }

    @Test func aFailedCaseExitsWithThreeAndAFaultWithOne() async throws {
      let directory = TemporaryDirectory()
      let file = try directory.write(
        """
        apiVersion: sallyport.dev/v1alpha1
        kind: AccessPolicy
        metadata: {name: p}
        rules: [{name: r, deny: [{resources: [pods]}]}]
        tests: [{user: alice, request: GET /api/v1/pods, expect: allow}]

        """, to: "p.yaml")
      let failed = try await sallyport("policy", "test", file)
      #expect(failed.status == 3 && failed.output.contains("FAILED"), "\(failed.transcript)")
      let fault = try await sallyport("policy", "test", directory.path + "/none.yaml")
      #expect(fault.status == 1 && fault.output.isEmpty && fault.errors.contains("names no file"), "\(fault.transcript)")
      let usage = try await sallyport("policy", "explain", "--user", "alice", "GET", "/")
      #expect(usage.status == 2, "\(usage.transcript)")
    }

    @Test func operationsAreListed() async throws {
      let directory = TemporaryDirectory()
      let pets = try directory.write(
        """
        openapi: 3.0.3
        paths:
          /pets/{id}: {get: {operationId: getPet, responses: {"200": {description: one}}}}

        """, to: "pets.yaml")
      let text = try await sallyport("policy", "operations", "--openapi", pets)
      #expect(text.status == 0 && text.output.contains("getPet  GET     /pets/{id}  -     -"), "\(text.transcript)")
      let json = try await sallyport("policy", "operations", "--openapi", pets, "--output", "json", "get*")
      #expect(json.status == 0 && json.output.contains("\"id\" : \"getPet\""), "\(json.transcript)")
    }
  }
}
