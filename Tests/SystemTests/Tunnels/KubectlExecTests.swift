import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// `kubectl exec`, `attach` and `cp` through the gateway, in both protocols.
  @Suite(.serialized, .demo) struct KubectlExecTests {
    private var demo: DemoProcess { get throws { try #require(DemoProcess.current) } }

    @Test(arguments: StreamClient.allCases) func execPrintsWhatTheCommandSays(_ client: StreamClient) async throws {
      let run = try await client.run(as: .bob, "exec", "web-0", "--", "echo", "hello", "there")
      #expect(run.status == 0 && run.output == "hello there\n", "\(run.transcript)")
      let name = try await client.run(as: .bob, "exec", "web-1", "--", "hostname")
      #expect(name.output == "web-1\n", "\(name.transcript)")
    }

    @Test(arguments: StreamClient.allCases) func itsInputEndsAndTheCommandHearsOfIt(_ client: StreamClient) async throws {
      let text = String(repeating: "a line of text that goes there and back\n", count: 10_000)
      let run = try await client.run(as: .bob, "exec", "-i", "web-0", "--", "cat", input: text)
      #expect(run.status == 0 && run.output == text, "\(run.output.utf8.count) of \(text.utf8.count) bytes; \(run.errors)")
      let nothing = try await client.run(as: .bob, "exec", "-i", "web-0", "--", "cat", input: "")
      #expect(nothing.status == 0 && nothing.output.isEmpty, "\(nothing.transcript)")
    }

    @Test(arguments: StreamClient.allCases) func exitCodesAndErrorsArrive(_ client: StreamClient) async throws {
      let failed = try await client.run(as: .bob, "exec", "web-0", "--", "cat", "/etc/hostname", "/missing")
      #expect(failed.status == 1 && failed.output == "web-0\n", "\(failed.transcript)")
      #expect(failed.errors.hasPrefix("cat: /missing: No such file or directory\n"))
      #expect(failed.errors.contains("command terminated with exit code 1"))
      let unknown = try await client.run(as: .bob, "exec", "web-0", "--", "bash", "-c", "true")
      #expect(unknown.status == 127, "\(unknown.transcript)")
    }

    @Test(arguments: StreamClient.allCases) func aTerminalHasOneOutputAndASize(_ client: StreamClient) async throws {
      // script gives kubectl a terminal of its own.
      let demo = try self.demo
      let path = client == .debian ? Installation.debianKubectl : "kubectl"
      let on = client == .webSocket ? "true" : "false"
      let run = try await run(
        "script",
        [
          "--quiet", "--return", "--command",
          "stty rows 33 cols 111; KUBECTL_REMOTE_COMMAND_WEBSOCKETS=\(on) \(path) --kubeconfig \(demo.file("bob.kubeconfig")) exec -it web-0 -- stty size",
          "/dev/null",
        ])
      #expect(run.status == 0 && run.output.contains("33 111"), "\(run.transcript)")
    }

    @Test(arguments: StreamClient.allCases) func attachHearsWhatItSays(_ client: StreamClient) async throws {
      let run = try await client.run(as: .bob, "attach", "-i", "web-0", input: "one\ntwo\n")
      #expect(run.status == 0 && run.output == "one\ntwo\n", "\(run.transcript)")
    }

    @Test(arguments: StreamClient.allCases) func filesAreCopiedBothWays(_ client: StreamClient) async throws {
      let folder = TemporaryDirectory()
      // 3 MB that no loss or exchange of a part leaves as they are.
      var value: UInt64 = 1
      var content = Data()
      for _ in 0..<400_000 {
        value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        withUnsafeBytes(of: value) { content.append(contentsOf: $0) }
      }
      try content.write(to: URL(fileURLWithPath: folder.file("there")))
      let target = "web-0:/tmp/\(client.rawValue)"
      let there = try await client.run(as: .bob, "cp", folder.file("there"), target)
      #expect(there.status == 0, "\(there.transcript)")
      let back = try await client.run(as: .bob, "cp", target, folder.file("back"))
      #expect(back.status == 0, "\(back.transcript)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("back"))) == content)

      // A folder, into one that is there.
      try FileManager.default.createDirectory(atPath: folder.file("tree/deep"), withIntermediateDirectories: true)
      try folder.write("a", to: "tree/one")
      try folder.write("b", to: "tree/deep/two")
      let tree = try await client.run(as: .bob, "cp", folder.file("tree"), "web-1:/tmp")
      #expect(tree.status == 0, "\(tree.transcript)")
      let listed = try await client.run(as: .bob, "exec", "web-1", "--", "cat", "/tmp/tree/one", "/tmp/tree/deep/two")
      #expect(listed.output == "ab", "\(listed.transcript)")
      let whole = try await client.run(as: .bob, "cp", "web-1:/tmp/tree", folder.file("again"))
      #expect(whole.status == 0, "\(whole.transcript)")
      #expect(try folder.read("again/deep/two") == "b")
    }

    // MARK: Who may

    @Test(arguments: StreamClient.allCases) func whoMayNotIsToldSo(_ client: StreamClient) async throws {
      let run = try await client.run(as: .alice, "exec", "web-0", "--", "echo", "hello")
      #expect(run.status == 1 && run.output.isEmpty, "\(run.transcript)")
      #expect(run.errors.contains(#"pods "web-0" is forbidden: User "alice" cannot create resource "pods/exec""#), "\(run.errors)")
    }

    @Test(arguments: StreamClient.allCases) func execAsSomebodyElse(_ client: StreamClient) async throws {
      let allowed = try await client.run(
        as: .carol, "exec", "web-0", "--as", "dora", "--as-group", "edit", "--", "hostname")
      #expect(allowed.status == 0 && allowed.output == "web-0\n", "\(allowed.transcript)")
      let demo = try self.demo
      var ended: AuditLine?
      try await eventually("the record of the tunnel's end") {
        ended = try demo.auditRecords().last {
          $0.stage == "ResponseComplete" && $0.impersonatedUser?.username == "dora"
            && $0.annotations?["sallyport.dev/upgrade"] == client.upgrade
        }
        return ended != nil
      }
      #expect(ended?.user?.username == "carol" && ended?.impersonatedUser?.groups == ["edit"] && ended?.responseStatus?.code == 101)
      // As somebody who may less, carol may less.
      let refused = try await client.run(
        as: .carol, "exec", "web-0", "--as", "vera", "--as-group", "view", "--", "hostname")
      #expect(refused.status == 1 && refused.errors.contains(#"User "vera" cannot create resource "pods/exec""#), "\(refused.transcript)")
      let stranger = try await client.run(as: .bob, "exec", "web-0", "--as", "carol", "--", "hostname")
      #expect(stranger.status == 1 && stranger.errors.contains("cannot impersonate"), "\(stranger.transcript)")
    }
  }
}
