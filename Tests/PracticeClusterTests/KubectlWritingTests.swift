import Foundation
import Testing

@testable import SallyportPracticeCluster

/// Changes made with kubectl.
@Suite struct KubectlWritingTests {
  private static let configMap = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: settings, labels: {app: web}}
    data: {color: COLOR, size: big}
    """

  private static let deployment = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: shop}
    spec:
      replicas: 2
      selector: {matchLabels: {app: shop}}
      template:
        metadata: {labels: {app: shop}}
        spec:
          containers:
            - name: shop
              image: registry.example/shop:VERSION
              ports: [{containerPort: 8080}]
              env: [{name: MODE, value: demo}]
            - {name: helper, image: "registry.example/helper:1"}
    """

  @Test func applyCreatesChangesAndPrunesFields() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      let first = try kubectl.write(Self.configMap.replacing("COLOR", with: "red"), to: "first.yaml")
      #expect(try await kubectl.output("apply", "-f", first) == "configmap/settings created\n")
      #expect(try await kubectl.output("apply", "-f", first) == "configmap/settings unchanged\n")
      let second = try kubectl.write(Self.configMap.replacing("COLOR", with: "blue").replacing(", size: big", with: ""), to: "second.yaml")
      #expect(try await kubectl.output("diff", "-f", first) == "")
      #expect(try await kubectl.output("apply", "-f", second) == "configmap/settings configured\n")
      #expect(try await kubectl.output("get", "cm", "settings", "-o", "jsonpath={.data}") == #"{"color":"blue"}"#)
    }
  }

  @Test func applyMergesListsByTheirKeys() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      let first = try kubectl.write(Self.deployment.replacing("VERSION", with: "1"), to: "first.yaml")
      #expect(try await kubectl.output("apply", "-f", first) == "deployment.apps/shop created\n")
      _ = try await kubectl.output("set", "env", "deployment/shop", "-c", "shop", "EXTRA=1")
      let second = try kubectl.write(Self.deployment.replacing("VERSION", with: "2"), to: "second.yaml")
      #expect(try await kubectl.output("apply", "-f", second) == "deployment.apps/shop configured\n")
      let path = "jsonpath={range .spec.template.spec.containers[*]}{.image} {.env[*].name};{end}"
      #expect(
        try await kubectl.output("get", "deploy", "shop", "-o", path) == "registry.example/shop:2 MODE EXTRA;registry.example/helper:1 ;")
      #expect(try await kubectl.output("scale", "deployment", "shop", "--replicas=5") == "deployment.apps/shop scaled\n")
      #expect(try await kubectl.output("get", "deploy", "shop", "-o", "jsonpath={.spec.replicas}") == "5")
      #expect(try await kubectl.output("get", "deploy").contains("shop   0/5"))
    }
  }

  @Test func validationFindsUnknownFields() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      let file = try kubectl.write(Self.deployment.replacing("image: registry.example/shop:VERSION", with: "imagee: x"), to: "bad.yaml")
      let outcome = try await kubectl.run("apply", "-f", file)
      #expect(outcome.status == 1)
      // An old kubectl finds it by the OpenAPI document, a new one is told by the server.
      #expect(outcome.errors.contains("spec.template.spec.containers[0]"))
      #expect(outcome.errors.contains("unknown field") && outcome.errors.contains("imagee"))
    }
  }

  @Test func serverSideApplyFindsConflicts() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      let first = try kubectl.write(Self.configMap.replacing("COLOR", with: "red"), to: "first.yaml")
      let second = try kubectl.write(Self.configMap.replacing("COLOR", with: "blue"), to: "second.yaml")
      #expect(
        try await kubectl.output("apply", "--server-side", "--field-manager=one", "-f", first)
          == "configmap/settings serverside-applied\n")
      let conflict = try await kubectl.run("apply", "--server-side", "--field-manager=two", "-f", second)
      #expect(conflict.status == 1)
      #expect(conflict.errors.contains(#"Apply failed with 1 conflict: conflict with "one" using v1: .data.color"#))
      _ = try await kubectl.output("apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", second)
      #expect(try await kubectl.output("get", "cm", "settings", "-o", "jsonpath={.data.color}") == "blue")
    }
  }

  @Test func patchesOfEveryKindAreTaken() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      _ = try await kubectl.output("patch", "cm", "web", "--type=merge", "-p", #"{"data":{"color":null,"size":"small"}}"#)
      _ = try await kubectl.output("patch", "cm", "web", "-p", #"{"metadata":{"labels":{"tier":"front"}}}"#)
      _ = try await kubectl.output(
        "patch", "cm", "web", "--type=json", "-p", #"[{"op":"replace","path":"/data/greeting","value":"moin"}]"#)
      let text = try await kubectl.output("get", "cm", "web", "-o", "jsonpath={.data} {.metadata.labels}")
      #expect(text == #"{"greeting":"moin","size":"small"} {"app":"web","tier":"front"}"#)
    }
  }

  @Test func labelsAnnotationsAndDeletesWork() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      #expect(try await kubectl.output("label", "pod", "web-0", "tier=front") == "pod/web-0 labeled\n")
      #expect(try await kubectl.output("annotate", "pod", "web-0", "note=x") == "pod/web-0 annotated\n")
      #expect(try await kubectl.output("get", "pods", "-l", "tier=front", "-o", "name") == "pod/web-0\n")
      #expect(try await kubectl.output("delete", "pod", "web-0").contains(#"pod "web-0" deleted"#))
      #expect(try await kubectl.output("delete", "pods", "-l", "app=web").split(separator: "\n").count == 2)
      #expect(try await kubectl.run("get", "pods").errors == "No resources found in dev namespace.\n")
      let cascade = try await kubectl.output("delete", "cm", "web", "--cascade=foreground")
      #expect(cascade.contains("deleted"))
    }
  }

  @Test func aNamespaceGoesWithAllThatIsInIt() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      #expect(try await kubectl.output("create", "namespace", "trial") == "namespace/trial created\n")
      _ = try await kubectl.output("create", "secret", "generic", "s", "--from-literal=a=b", "-n", "trial")
      #expect(try await kubectl.output("get", "secret", "s", "-n", "trial", "-o", "jsonpath={.data.a}") == "Yg==")
      _ = try await kubectl.output("delete", "namespace", "trial")
      #expect(try await kubectl.output("get", "secrets,sa", "-A", "-o", "name").contains("trial") == false)
      let outcome = try await kubectl.run("create", "configmap", "x", "-n", "trial")
      #expect(outcome.errors.contains("namespaces \"trial\" not found"))
    }
  }

  @Test func whatTypedClientsSendAsProtobufIsUnderstood() async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture)
      _ = try await kubectl.output(
        "create", "deployment", "shop", "--image=registry.example/shop:1", "--replicas=3", "--port=8080", "--", "serve", "now")
      let path = "jsonpath={.spec.replicas} {.spec.template.spec.containers[0]['name','image','command','ports']}"
      #expect(
        try await kubectl.output("get", "deploy", "shop", "-o", path)
          == #"3 shop registry.example/shop:1 ["serve","now"] [{"containerPort":8080,"protocol":"TCP"}]"#)
      _ = try await kubectl.output("create", "service", "nodeport", "shop", "--tcp=80:8080", "--node-port=30080")
      let ports = try await kubectl.output("get", "svc", "shop", "-o", "jsonpath={.spec.type} {.spec.ports[0]}")
      #expect(ports == #"NodePort {"name":"80-8080","nodePort":30080,"port":80,"protocol":"TCP","targetPort":8080}"#)
      _ = try await kubectl.output("create", "serviceaccount", "robot")
      let file = try kubectl.write(#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#, to: "token.json")
      let token = try await kubectl.output("create", "--raw", "/api/v1/namespaces/dev/serviceaccounts/robot/token", "-f", file)
      #expect(try JSONReader.read(token)[["status", "token"]]?.string?.hasPrefix("practice-token.") == true)
    }
  }

  @Test func editorsWriteButOnlyWhatTheyMay() async throws {
    try await Fixture.with { fixture in
      let editor = try Kubectl(fixture, user: "ed", groups: ["edit"])
      #expect(try await editor.output("create", "configmap", "x") == "configmap/x created\n")
      let refused = try await editor.run("create", "namespace", "y")
      #expect(refused.errors.contains("cannot create resource \"namespaces\" in API group \"\" at the cluster scope"))
    }
  }
}
