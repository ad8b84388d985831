import Foundation
import Testing

@testable import SallyportPracticeCluster

/// kubectl, in both protocols, straight to the practice cluster.
@Suite(.timeLimit(.minutes(3))) struct KubectlStreamsTests {
  @Test(arguments: [true, false])
  func execAndItsCodes(overWebSocket: Bool) async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture, environment: Self.environment(overWebSocket))
      let hello = try await kubectl.output("exec", "-n", "dev", "web-0", "--", "echo", "hello")
      #expect(hello == "hello\n")
      let missing = try await kubectl.run("exec", "-n", "dev", "web-0", "--", "cat", "/no")
      #expect(missing.status == 1 && missing.errors.contains("cat: /no: No such file") && missing.errors.contains("exit code 1"))
      let unknown = try await kubectl.run("exec", "-n", "dev", "web-0", "--", "bash")
      #expect(unknown.status == 127, "\(unknown.errors)")
      #expect(fixture.cluster.recordedRequests().last?.method == (overWebSocket ? "GET" : "POST"))
    }
  }

  @Test(arguments: [true, false])
  func filesGoThereAndBack(overWebSocket: Bool) async throws {
    try await Fixture.with { fixture in
      let kubectl = try Kubectl(fixture, environment: Self.environment(overWebSocket))
      let text = String(repeating: "a line of a file\n", count: 20_000)
      let file = try kubectl.write(text, to: "there")
      _ = try await kubectl.output("cp", "-n", "dev", file, "web-0:/tmp/copy")
      let back = kubectl.home.appending(path: "back").path
      _ = try await kubectl.output("cp", "-n", "dev", "web-0:/tmp/copy", back)
      #expect(try String(contentsOfFile: back, encoding: .utf8) == text)
    }
  }

  private static func environment(_ overWebSocket: Bool) -> [String: String] {
    overWebSocket ? [:] : ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"]
  }
}
