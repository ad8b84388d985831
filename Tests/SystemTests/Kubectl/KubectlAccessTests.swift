import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Who kubectl is behind the gateway, what it may, and what it prints when it may not.
  @Suite(.serialized, .demo) struct KubectlAccessTests {
    private struct Review: Decodable {
      struct Status: Decodable {
        struct UserInfo: Decodable {
          let username: String
          let groups: [String]
        }
        let userInfo: UserInfo
      }
      let status: Status
    }

    /// `auth whoami`, in a way that kubectl 1.20 knows, too.
    private func whoAmI(_ kubectl: DemoKubectl, as person: DemoProcess.Person, _ more: String...) async throws -> Review.Status.UserInfo {
      let body = #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#
      let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
      let answer = try await kubectl(as: person, ["create", "--raw", path, "-f", "-"] + more, input: body)
      return try JSONDecoder().decode(Review.self, from: Data(answer.utf8)).status.userInfo
    }

    @Test(arguments: Kubectl.allCases) func theUpstreamKnowsWhoAsks(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let alice = try await self.whoAmI(kubectl, as: .alice)
      #expect(alice.username == "alice" && alice.groups == ["view", "system:authenticated"])
      let bob = try await self.whoAmI(kubectl, as: .bob)
      #expect(bob.username == "bob" && bob.groups == ["edit", "system:authenticated"])
    }

    @Test(arguments: Kubectl.allCases) func impersonationReachesTheUpstream(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let who = try await self.whoAmI(kubectl, as: .carol, "--as", "dave", "--as-group", "view")
      #expect(who.username == "dave" && who.groups == ["view", "system:authenticated"])
      #expect(try await kubectl(as: .carol, "get", "pods", "-o", "name", "--as", "alice", "--as-group", "view").contains("pod/web-0"))
      // As somebody who may less, carol may less.
      let secrets = try await kubectl.complaint(as: .carol, "get", "secrets", "--as", "alice", "--as-group", "view")
      #expect(secrets.contains(#"(Forbidden): secrets is forbidden: User "alice" cannot list resource "secrets""#), "\(secrets)")
      let record = try #require(try kubectl.demo.auditRecords().last)
      #expect(record.user?.username == "carol" && record.impersonatedUser?.username == "alice")
      #expect(record.impersonatedUser?.groups == ["view"] && record.responseStatus?.code == 403)
    }

    @Test(arguments: Kubectl.allCases) func whoMayNotImpersonateIsTold(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let path = "/api/v1/namespaces/dev/pods"
      let complaint = try await kubectl.complaint(as: .bob, "get", "--raw", path, "--as", "carol", "--as-group", "admin")
      #expect(complaint.contains("(Forbidden)") && complaint.contains(#"User "bob" cannot impersonate resource "users""#), "\(complaint)")
    }

    @Test(arguments: Kubectl.allCases) func whatIsForbiddenIsSaidInKubernetesWords(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      #expect(
        try await kubectl.complaint(as: .alice, "get", "secrets")
          == #"Error from server (Forbidden): secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" in the namespace "dev""#
          + "\n")
      #expect(
        try await kubectl.complaint(as: .alice, "delete", "pod", "web-0").contains(
          #"pods "web-0" is forbidden: User "alice" cannot delete"#))
    }

    @Test(arguments: Kubectl.allCases) func aWrongPasswordPrintsAProperError(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let right = try kubectl.demo.read("bob.kubeconfig")
      let wrong = right.replacingOccurrences(of: kubectl.demo.password, with: "wrong")
      #expect(wrong != right)
      let folder = TemporaryDirectory()
      let run = try await which.run(["get", "pods"], kubeconfig: try folder.write(wrong, to: "wrong.kubeconfig"))
      #expect(run.status == 1)
      #expect(run.errors.contains("error: You must be logged in to the server ("), "\(run.transcript)")
      #expect(try kubectl.demo.auditRecords("unauthenticated").last?.responseStatus?.code == 401)
    }

    @Test(arguments: Kubectl.allCases) func accessReviewsAnswerForTheSender(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      #expect(try await kubectl(as: .bob, "auth", "can-i", "create", "configmaps") == "yes\n")
      #expect(try await kubectl(as: .bob, "auth", "can-i", "--list").contains("selfsubjectreviews"))
      // `can-i` exits with 1 where the answer is no.
      let no = try await which.run(["auth", "can-i", "create", "configmaps"], kubeconfig: kubectl.demo.file("alice.kubeconfig"))
      #expect(no.status == 1 && no.output == "no\n", "\(no.transcript)")
    }

    @Test(arguments: Kubectl.allCases) func everyCommandHasItsRecord(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let name = "recorded-by-\(which.rawValue)"
      _ = try await kubectl(as: .bob, "create", "configmap", name)
      let records = try kubectl.demo.auditRecords().filter { $0.verb == "create" && $0.user?.username == "bob" }.suffix(2)
      #expect(records.map(\.stage) == ["RequestReceived", "ResponseComplete"])
      #expect(records.last?.responseStatus?.code == 201)
      #expect(records.last?.userAgent?.hasPrefix("kubectl") == true)
      #expect(records.last?.annotations?["sallyport.dev/authentication"] == "passwordFile")
      #expect(!(try kubectl.demo.read("audit/requests.jsonl")).contains(kubectl.demo.password))
    }
  }
}
