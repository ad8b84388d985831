import Testing

@testable import SallyportPracticeCluster

@Suite struct AuthorizationTests {
  private func allows(_ groups: [String], _ verb: String, _ resource: String, group: String = "", sub: String = "") -> Bool {
    let access = AccessAttributes(verb: verb, group: group, version: "v1", resource: resource, subresource: sub, namespace: "dev")
    return RoleTable.allows(UserInfo(name: "u", groups: groups).authenticated, access, isResourceRequest: true)
  }

  @Test func viewersReadEverythingButSecrets() {
    for resource in ["pods", "configmaps", "services", "events", "nodes", "namespaces", "serviceaccounts"] {
      #expect(self.allows(["view"], "list", resource) && self.allows(["view"], "watch", resource))
      #expect(!self.allows(["view"], "delete", resource))
    }
    #expect(self.allows(["view"], "get", "pods", sub: "log") && self.allows(["view"], "get", "deployments", group: "apps"))
    #expect(!self.allows(["view"], "get", "secrets") && !self.allows(["view"], "list", "secrets"))
    #expect(!self.allows(["view"], "create", "serviceaccounts", sub: "token") && !self.allows(["view"], "list", "pods", group: "other"))
  }

  @Test func editorsWriteWhatRuns() {
    for verb in ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"] {
      #expect(self.allows(["edit"], verb, "secrets") && self.allows(["edit"], verb, "deployments", group: "apps"))
    }
    #expect(self.allows(["edit"], "create", "pods", sub: "exec"))
    #expect(!self.allows(["edit"], "create", "namespaces") && !self.allows(["edit"], "delete", "nodes"))
    #expect(!self.allows(["edit"], "impersonate", "users") && !self.allows(["edit"], "create", "events"))
    #expect(self.allows(["admin"], "create", "events") && !self.allows(["admin"], "delete", "nodes"))
  }

  @Test func nobodyGetsAnythingByOtherGroups() {
    #expect(!self.allows([], "list", "pods") && !self.allows(["views", "VIEW", "system:master"], "list", "pods"))
    #expect(self.allows([], "create", "selfsubjectreviews", group: "authentication.k8s.io"))
    #expect(!self.allows([], "create", "subjectaccessreviews", group: "authorization.k8s.io"))
    #expect(self.allows(["system:masters"], "spin", "anything", group: "any.example"))
  }

  @Test func pathsAreOpenByTheirLists() {
    func allows(_ path: String, _ verb: String = "get", groups: [String] = []) -> Bool {
      RoleTable.allows(
        UserInfo(name: "u", groups: groups).authenticated, AccessAttributes(verb: verb, path: path), isResourceRequest: false)
    }
    for path in ["/api", "/api/v1", "/apis/apps", "/version", "/openapi/v2", "/openapi/v3/api/v1", "/healthz", "/readyz/etcd"] {
      #expect(allows(path))
      #expect(!allows(path, "post"))
    }
    #expect(!allows("/metrics") && !allows("/apix") && !allows("/") && allows("/metrics", groups: ["system:masters"]))
    #expect(!RoleTable.allows(.anonymous, AccessAttributes(verb: "get", path: "/api"), isResourceRequest: false))
  }

  @Test(arguments: [
    (
      "GET", "/api/v1/namespaces/dev/pods",
      #"pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "dev""#
    ),
    ("DELETE", "/api/v1/nodes/n", #"nodes "n" is forbidden: User "u" cannot delete resource "nodes" in API group "" at the cluster scope"#),
    (
      "PATCH", "/apis/apps/v1/namespaces/dev/deployments/d/scale",
      #"deployments.apps "d" is forbidden: User "u" cannot patch resource "deployments/scale" in API group "apps" in the namespace "dev""#
    ),
    ("GET", "/metrics", #"forbidden: User "u" cannot get path "/metrics""#),
    (
      "GET", "/api/v1/watch/secrets",
      #"secrets is forbidden: User "u" cannot watch resource "secrets" in API group "" at the cluster scope"#
    ),
    (
      "GET", "/api/v1/namespaces/dev/secrets?fieldSelector=metadata.name%3Dx",
      #"secrets "x" is forbidden: User "u" cannot list resource "secrets" in API group "" in the namespace "dev""#
    ),
    (
      "DELETE", "//api/v1/secrets",
      #"secrets is forbidden: User "u" cannot deletecollection resource "secrets" in API group "" at the cluster scope"#
    ),
  ])
  func aRefusalIsInKubernetesWords(_ method: String, _ target: String, _ message: String) throws {
    let url = try #require(GoURL(requestURI: target))
    let reading = try #require(RequestReading(method: method, url: url))
    let error = RoleTable.refusal(of: UserInfo(name: "u"), reading.attributes, isResourceRequest: reading.isResourceRequest)
    #expect(error.message == message && error.status == 403)
  }
}
