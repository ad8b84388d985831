import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// The recipes of docs/AUDIT_LOG.md, as a reader copies them.
  @Suite(.serialized, .demo) struct RecipeTests {
    /// The first block of the manual that looks so.
    private func manual(_ block: Regex<(Substring, Substring)>, behind heading: String = "") throws -> String {
      let text = try String(contentsOf: Installation.package.appending(path: "docs/AUDIT_LOG.md"), encoding: .utf8)
      let section = heading.isEmpty ? text : try #require(text.components(separatedBy: heading).last)
      return String(try #require(try block.dotMatchesNewlines().firstMatch(in: section)).1)
    }

    /// The recipes with their titles.
    private func recipes() throws -> [(title: String, command: String)] {
      try self.manual(#/```sh\n(.*?)```/#, behind: "\n## Recipes\n").components(separatedBy: "\n\n").compactMap { text in
        guard text.hasPrefix("# ") else { return nil }
        return (String(text.dropFirst(2).prefix { $0 != "\n" }), text)
      }
    }

    @Test func everyRecipeFindsWhatItsTitleSays() async throws {
      let demo = try #require(DemoProcess.current)
      let dev = demo.url + "/api/v1/namespaces/dev"
      _ = try await demo.curl(as: .carol, "-H", "Impersonate-User: alice", dev + "/pods")
      _ = try await demo.curl(as: .carol, dev + "/secrets/web-login")
      // An exec that is not an upgrade is refused by the API server, and recorded as what it is.
      _ = try await demo.curl(as: .carol, "-X", "POST", dev + "/pods/web-0/exec?command=sh")
      _ = try await demo.curl(as: .alice, "-X", "DELETE", dev + "/configmaps/none")
      _ = try await demo.curl(as: .bob, dev + "/secrets")
      _ = try await demo.curl(as: .nobody, dev + "/pods")

      // The manual's own record is a denial, which nobody has in the demo, and a beginning without an end is made of it.
      let folder = TemporaryDirectory()
      let example = try await run("jq", ["--compact-output", "."], input: Data(try self.manual(#/```json\n(.*?)```/#).utf8))
      #expect(example.status == 0, "\(example.transcript)")
      let begun = example.output.replacing("ResponseComplete", with: "RequestReceived").replacing("3b0f7c52", with: "3b0f7c53")
      try folder.write(try demo.read("audit/requests.jsonl") + example.output + begun, to: "requests.jsonl")
      try folder.write(try demo.read("audit/unauthenticated.jsonl"), to: "unauthenticated.jsonl")
      try folder.write(example.output, to: "apiserver.log")

      let expected = [
        "What did alice change?": "configmaps/none", "Who read secrets, and with what answer?": "carol\tget\tdev\tweb-login",
        "Every exec, attach and port-forward, also those that were denied": #""pod":"dev/web-0""#,
        "Denials by rule": #"^ +2 no-shells-in-prod"#, "Who acts as somebody else?": "carol as alice",
        "Which certificate was it?": #" +\d+ [0-9a-f]{64}"#,
        "Where do failed sign-ins and failed handshakes come from?": #"^ +1 127\.0\.0\.1\t"#,
        "The API server's own record of a request (both logs have the auditID)": "3b0f7c52.*\n.*3b0f7c52",
        "Requests that began and did not end: in progress, or cut off by a crash": "^3b0f7c53-[0-9a-f-]* /api/v1/namespaces/prod",
      ]
      let recipes = try self.recipes()
      #expect(Set(recipes.map(\.title)) == Set(expected.keys))
      for recipe in recipes {
        let command = recipe.command.replacing("/var/log/kubernetes/audit.log", with: "apiserver.log")
        let done = try await run("bash", ["-euo", "pipefail", "-c", command], directory: folder.path)
        #expect(done.status == 0 && done.errors.isEmpty, "\(done.transcript)")
        let found = try done.output.firstMatch(of: Regex(expected[recipe.title] ?? "an entry of the table above")) != nil
        #expect(found, "\(recipe.title) \(done.transcript)")
      }
    }
  }
}
