import Foundation
import Testing

@testable import SallyportPracticeCluster

/// What a person sees who points kubectl at a practice cluster. Holds for kubectl 1.32 as for Debian's 1.20, which ask in
/// different ways.
@Suite struct KubectlReadingTests {
  @Test func getShowsThePodsAsATable() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      let lines = try await kubectl.output("get", "pods").split(separator: "\n")
      #expect(lines.count == 4)
      #expect(lines.first?.split(separator: " ") == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"])
      #expect(lines.dropFirst().first?.hasPrefix("web-0   1/1     Running   0") == true)
      let wide = try await kubectl.output("get", "pods", "-o", "wide")
      #expect(wide.contains("NOMINATED NODE") && wide.contains("practice-node") && wide.contains("10.0.0.10"))
      let all = try await kubectl.output("get", "pods", "--all-namespaces", "-l", "app in (shop)", "-o", "name")
      #expect(all == "pod/shop-0\npod/shop-1\n")
      let one = try await kubectl.output("get", "pod/web-1", "-o", "jsonpath={.kind} {.spec.containers[0].image}")
      #expect(one == "Pod registry.example/web:1.4")
      #expect(try await kubectl.output("get", "all,cm,secrets,sa,ns,nodes").contains("secret/web-login"))
    }
  }

  @Test func describeShowsAPod() async throws {
    try await Fixture.with { fixture in
      let text = try await Kubectl(fixture).output("describe", "pod", "web-0")
      #expect(text.split(separator: "\n").contains { $0.hasPrefix("Node:") && $0.hasSuffix(" practice-node/127.0.0.1") })
      #expect(text.split(separator: "\n").contains { $0.hasPrefix("Events:") && $0.hasSuffix("<none>") })
    }
  }

  @Test func aMissingObjectIsNamed() async throws {
    try await Fixture.with { fixture in
      let outcome = try await Kubectl(fixture).run("get", "pod", "absent")
      #expect(outcome.status == 1)
      #expect(outcome.errors == "Error from server (NotFound): pods \"absent\" not found\n")
    }
  }

  @Test func versionSaysThatItIsAPracticeCluster() async throws {
    try await Fixture.with { fixture in
      let text = try await Kubectl(fixture).output("version")
      #expect(text.contains("v1.36.0-practice"))
    }
  }

  @Test func apiResourcesListsTheCatalogue() async throws {
    try await Fixture.with { fixture in
      let text = try await Kubectl(fixture).output("api-resources", "--no-headers")
      #expect(text.split(separator: "\n").count == ResourceCatalog.all.count)
      #expect(text.contains("deploy   apps/v1"))
    }
  }

  @Test func explainDescribesFields() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      let pod = try await kubectl.output("explain", "pod.spec.containers.image")
      #expect(pod.contains("The image to run."))
      #expect(try await kubectl.output("explain", "deployment.spec").contains("strategy"))
      #expect(try await kubectl.output("explain", "cm", "--recursive").contains("binaryData"))
    }
  }

  @Test func logsAreShownAndFollowed() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      #expect(try await kubectl.output("logs", "web-0", "--tail=2") == "web-0 served request 8\nweb-0 served request 9\n")
      let follow = try kubectl.start(["logs", "-f", "web-0", "--tail=1"])
      #expect(try await follow.waits { $0.contains("served request 11\n") })
      #expect(follow.output.hasPrefix("web-0 served request 9\nweb-0 served request 10\n"))
      _ = await follow.stop()
    }
  }

  @Test func watchShowsChangesAsTheyHappen() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      let watch = try kubectl.start(["get", "configmaps", "-w"])
      #expect(try await watch.waits { $0.contains("web ") })
      _ = try await kubectl.output("create", "configmap", "fresh", "--from-literal=a=b")
      #expect(try await watch.waits { $0.contains("fresh   1") })
      _ = await watch.stop()
    }
  }

  @Test func canIAnswersByTheRoles() async throws {
    try await Fixture.with { fixture in
      let viewer = try Kubectl(fixture, user: "vera", groups: ["view"])
      #expect(try await viewer.output("auth", "can-i", "list", "pods") == "yes\n")
      let refusal = try await viewer.run("auth", "can-i", "get", "secrets")
      #expect(refusal.status == 1 && refusal.output == "no\n")
      #expect(try await viewer.output("auth", "can-i", "--list").contains("pods/log"))
      let forbidden = try await viewer.run("get", "secrets")
      #expect(
        forbidden.errors
          == "Error from server (Forbidden): secrets is forbidden: User \"vera\" cannot list resource \"secrets\" in API group \"\" in the namespace \"dev\"\n"
      )
    }
  }

  @Test func impersonationIsAskedForWithAs() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture, user: "ivo", groups: ["impersonator"])
      #expect(try await kubectl.output("get", "pods", "--as", "vera", "--as-group", "view").contains("web-2"))
      let viewer = try Kubectl(fixture, user: "vera", groups: ["view"])
      let refused = try await viewer.run("get", "pods", "--as", "ivo")
      #expect(refused.status == 1 && refused.output.isEmpty)
      #expect(fixture.cluster.recordedRequests().last?.status == 403)
    }
  }

  @Test func aSelfSubjectReviewIsCreatedRaw() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture, user: "vera", groups: ["view"])
      let file = try kubectl.write(#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#, to: "review.json")
      let text = try await kubectl.output("create", "--raw", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "-f", file)
      let answer = try JSONReader.read(text)
      #expect(answer[["status", "userInfo"]] == ["username": "vera", "groups": ["view", "system:authenticated"]])
    }
  }
}
