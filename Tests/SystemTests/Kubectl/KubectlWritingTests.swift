import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// What kubectl changes through the gateway.
  @Suite(.serialized, .demo) struct KubectlWritingTests {
    private static func manifest(_ name: String, color: String, more: String = "") -> String {
      """
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: \(name), labels: {app: shop}}
      data: {color: \(color)\(more)}

      """
    }

    @Test(arguments: Kubectl.allCases) func applyCreatesAndChanges(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let name = "applied-by-\(which.rawValue)"
      let first = Self.manifest(name, color: "red", more: ", size: big")
      #expect(try await kubectl(as: .bob, "apply", "-f", "-", input: first) == "configmap/\(name) created\n")
      #expect(try await kubectl(as: .bob, "apply", "-f", "-", input: first) == "configmap/\(name) unchanged\n")
      let second = Self.manifest(name, color: "blue")
      #expect(try await kubectl(as: .bob, "apply", "-f", "-", input: second) == "configmap/\(name) configured\n")
      // What the second manifest does not name is gone.
      #expect(try await kubectl(as: .alice, "get", "configmap", name, "-o", "jsonpath={.data}") == #"{"color":"blue"}"#)
      #expect(try await kubectl(as: .bob, "delete", "-f", "-", input: second) == "configmap \"\(name)\" deleted\n")
    }

    @Test(arguments: Kubectl.allCases) func serverSideApplyFindsConflicts(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let name = "owned-by-\(which.rawValue)"
      let first = Self.manifest(name, color: "red")
      #expect(
        try await kubectl(as: .bob, "apply", "--server-side", "--field-manager=one", "-f", "-", input: first)
          == "configmap/\(name) serverside-applied\n")
      let second = Self.manifest(name, color: "blue")
      let complaint = try await kubectl.complaint(as: .bob, "apply", "--server-side", "--field-manager=two", "-f", "-", input: second)
      #expect(complaint.contains("conflict with \"one\"") && complaint.contains(".data.color"), "\(complaint)")
      _ = try await kubectl(as: .bob, "apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-", input: second)
      #expect(try await kubectl(as: .bob, "get", "configmap", name, "-o", "jsonpath={.data.color}") == "blue")
    }

    @Test(arguments: Kubectl.allCases) func patchesAndLabelsPass(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let name = "patched-by-\(which.rawValue)"
      #expect(try await kubectl(as: .bob, "create", "configmap", name, "--from-literal=a=1") == "configmap/\(name) created\n")
      _ = try await kubectl(as: .bob, "patch", "configmap", name, "-p", #"{"data":{"b":"2"}}"#)
      _ = try await kubectl(as: .bob, "patch", "configmap", name, "--type=merge", "-p", #"{"data":{"c":"3"}}"#)
      _ = try await kubectl(as: .bob, "patch", "configmap", name, "--type=json", "-p", #"[{"op":"remove","path":"/data/a"}]"#)
      #expect(try await kubectl(as: .bob, "get", "configmap", name, "-o", "jsonpath={.data}") == #"{"b":"2","c":"3"}"#)
      #expect(try await kubectl(as: .bob, "label", "configmap", name, "tier=front") == "configmap/\(name) labeled\n")
      #expect(try await kubectl(as: .alice, "get", "configmap", "-l", "tier=front", "-o", "name") == "configmap/\(name)\n")
      _ = try await kubectl(as: .bob, "annotate", "configmap", name, "note=kept")
      #expect(try await kubectl(as: .alice, "get", "configmap", name, "-o", "jsonpath={.metadata.annotations.note}") == "kept")
      _ = try await kubectl(as: .bob, "label", "configmap", name, "tier-")
      #expect(try await kubectl(as: .bob, "delete", "configmap", name) == "configmap \"\(name)\" deleted\n")
      #expect(
        try await kubectl.complaint(as: .bob, "get", "configmap", name)
          == "Error from server (NotFound): configmaps \"\(name)\" not found\n")
    }

    @Test(arguments: Kubectl.allCases) func aCollectionIsDeletedByItsLabel(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let label = "batch=\(which.rawValue)"
      for number in 0..<3 {
        let name = "batch-\(which.rawValue)-\(number)"
        _ = try await kubectl(as: .bob, "create", "configmap", name)
        _ = try await kubectl(as: .bob, "label", "configmap", name, label)
      }
      #expect(try await kubectl(as: .bob, "delete", "configmaps", "-l", label).split(separator: "\n").count == 3)
      #expect(try await kubectl(as: .bob, "get", "configmaps", "-l", label, "-o", "name").isEmpty)
    }

    @Test(arguments: Kubectl.allCases) func editingSendsTheWholeObject(_ which: Kubectl) async throws {
      let kubectl = try DemoKubectl(which)
      let name = "replaced-by-\(which.rawValue)"
      _ = try await kubectl(as: .bob, "create", "-f", "-", input: Self.manifest(name, color: "red"))
      _ = try await kubectl(as: .bob, "replace", "-f", "-", input: Self.manifest(name, color: "green"))
      #expect(try await kubectl(as: .bob, "get", "configmap", name, "-o", "jsonpath={.data.color}") == "green")
      let wrong = try await kubectl.complaint(as: .bob, "create", "-f", "-", input: Self.manifest(name, color: "x"))
      #expect(wrong.contains("(AlreadyExists)"), "\(wrong)")
    }
  }
}
