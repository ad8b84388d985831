import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Python's own Kubernetes client, as a program uses it.
  @Suite(.serialized, .demo) struct PythonClientTests {
    private struct Seen: Decodable {
      let version: String
      let user: String
      let groups: [String]
      let pods: [String]
      let data: [String: String]
      let replaced: [String: String]
      let deleted: String
      let events: [String]
      let afterwards: [AfterDeletion]
      let log: [String]

      enum AfterDeletion: Decodable, Equatable {
        case status(Int)
        case reason(String)

        init(from decoder: any Decoder) throws {
          let container = try decoder.singleValueContainer()
          if let status = try? container.decode(Int.self) {
            self = .status(status)
          } else {
            self = .reason(try container.decode(String.self))
          }
        }
      }
    }

    @Test func itReadsWatchesWritesAndFollows() async throws {
      let demo = try #require(DemoProcess.current)
      let run = try await run(
        Installation.python, [Installation.client("kubernetes_client.py"), demo.file("bob.kubeconfig"), "dev"])
      #expect(run.status == 0, "\(run.transcript)")
      let seen = try JSONDecoder().decode(Seen.self, from: Data(run.output.utf8))
      #expect(seen.version.hasSuffix("-practice"))
      #expect(seen.user == "bob" && seen.groups == ["edit", "system:authenticated"])
      #expect(seen.pods == ["web-0", "web-1", "web-2"])
      #expect(seen.data == ["a": "1", "b": "2"])
      #expect(seen.replaced == ["c": "3"])
      #expect(seen.deleted == "Success")
      #expect(seen.events == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"])
      #expect(seen.afterwards == [.status(404), .reason("NotFound")])
      #expect(seen.log == ["web-0 served request 8", "web-0 served request 9"])
    }
  }
}
