import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// What kubectl reads through the gateway, with a certificate (alice, carol) and with a password (bob).
  @Suite(.serialized, .demo) struct KubectlReadingTests {
    @Test(arguments: Kubectl.allCases) func aCertificateGetsATable(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let lines = try await kubectl(as: .alice, "get", "pods").split(separator: "\n")
      #expect(lines.first?.split(separator: " ") == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"])
      #expect(lines.dropFirst().map { $0.prefix { $0 != " " } } == ["web-0", "web-1", "web-2"])
      let wide = try await kubectl(as: .alice, "get", "pods", "--all-namespaces", "-o", "wide")
      #expect(wide.contains("shop-1") && wide.contains("practice-node"))
    }

    @Test(arguments: Kubectl.allCases) func aPasswordGetsATable(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      #expect(try await kubectl(as: .bob, "get", "pods", "web-1", "--no-headers").hasPrefix("web-1"))
      let secrets = try await kubectl(as: .bob, "get", "secrets", "-o", "name")
      #expect(secrets == "secret/web-login\n")
    }

    @Test(arguments: Kubectl.allCases) func objectsComeAsYAMLAndJSON(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let yaml = try await kubectl(as: .alice, "get", "configmap", "web", "-o", "yaml")
      #expect(yaml.contains("\n  greeting: hello\n") && yaml.contains("\nkind: ConfigMap\n"))
      struct Object: Decodable { let data: [String: String] }
      let json = try await kubectl(as: .alice, "get", "configmap", "web", "-o", "json")
      #expect(try JSONDecoder().decode(Object.self, from: Data(json.utf8)).data == ["greeting": "hello", "color": "teal"])
      #expect(
        try await kubectl(as: .alice, "get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}") == "web-0 web-1 web-2")
      #expect(try await kubectl(as: .alice, "get", "pods", "--field-selector", "metadata.name=web-2", "-o", "name") == "pod/web-2\n")
    }

    @Test(arguments: Kubectl.allCases) func describeGathersAnObjectAndItsEvents(_ which: Kubectl) async throws {
      let text = try await DemoKubectl(which)(as: .alice, "describe", "pod", "web-0")
      #expect(text.contains("Node:") && text.contains("practice-node/127.0.0.1"))
      #expect(text.contains("Image:          registry.example/web:1.4"))
      #expect(text.contains("Events:"))
    }

    @Test(arguments: Kubectl.allCases) func discoveryAndDocumentationPass(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let resources = try await kubectl(as: .bob, "api-resources", "-o", "name").split(separator: "\n")
      #expect(Set(["pods", "configmaps", "secrets", "deployments.apps"]).isSubset(of: resources))
      #expect(try await kubectl(as: .bob, "api-versions").split(separator: "\n").contains("apps/v1"))
      let explained = try await kubectl(as: .alice, "explain", "pods.spec.containers")
      #expect(explained.contains("image\t<string>"), "\(explained)")
      let version = try await kubectl(as: .alice, "version", "-o", "json")
      #expect(version.contains("-practice"))
    }

    @Test(arguments: Kubectl.allCases) func rawPathsPass(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      struct List: Decodable {
        struct Item: Decodable {}
        let kind: String
        let items: [Item]
      }
      let raw = try await kubectl(as: .alice, "get", "--raw", "/api/v1/namespaces/dev/pods?limit=2")
      let list = try JSONDecoder().decode(List.self, from: Data(raw.utf8))
      #expect(list.kind == "PodList" && list.items.count == 2)
      #expect(try await kubectl(as: .bob, "get", "--raw", "/readyz") == "ok")
      #expect(try await kubectl.complaint(as: .bob, "get", "--raw", "/.sallyport/nothing").contains("NotFound"))
    }

    @Test(arguments: Kubectl.allCases) func logsComeWholeAndInPart(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let lines = try await kubectl(as: .alice, "logs", "web-0").split(separator: "\n")
      #expect(lines == (0..<10).map { "web-0 served request \($0)" })
      #expect(try await kubectl(as: .bob, "logs", "web-1", "--tail=1") == "web-1 served request 9\n")
    }

    @Test(arguments: Kubectl.allCases) func aFollowedLogArrivesAsItIsWritten(_ which: Kubectl) async throws {
      let following = try DemoKubectl(which).start(as: .bob, "logs", "-f", "web-2")
      // The first lines are there from the start; the others are written while kubectl follows, one every 200 ms.
      _ = try await following.wait { $0.contains("web-2 served request 12\n") }
      #expect(following.isRunning, "more is to come, so kubectl must still follow: \(following.output)")
      following.signal(SIGINT)
      _ = try await following.result()
    }

    @Test(arguments: Kubectl.allCases) func aWatchSeesWhatAnotherClientChanges(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let name = "watched-by-\(which.rawValue)"
      let watching = try kubectl.start(as: .alice, "get", "configmaps", "--watch", "--output-watch-events")
      func sees(_ event: String, entries: Int) async throws {
        let row = "\n\(event) +\(name) +\(entries) "
        _ = try await watching.wait { $0.range(of: row, options: .regularExpression) != nil }
      }
      _ = try await watching.wait { $0.contains("ADDED") && $0.contains(" web ") }
      _ = try await kubectl(as: .bob, "create", "configmap", name, "--from-literal=a=1")
      try await sees("ADDED", entries: 1)
      _ = try await kubectl(as: .bob, "patch", "configmap", name, "--type=merge", "-p", #"{"data":{"b":"2"}}"#)
      try await sees("MODIFIED", entries: 2)
      _ = try await kubectl(as: .bob, "delete", "configmap", name)
      try await sees("DELETED", entries: 2)
      #expect(watching.isRunning)
    }
  }
}
