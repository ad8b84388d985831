import Foundation
import TestSupport
import Testing

@testable import SallyportPracticeCluster

/// Ways into pods, straight to the practice cluster.
@Suite struct StreamRequestsTests {
  private static let exec = "/api/v1/namespaces/dev/pods/web-0/exec?command=cat&stdin=true&stdout=true"
  private static let webSocket = [
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io",
  ]
  private static let spdy = ["Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v5.channel.k8s.io"]

  @Test func whatIsNoUpgradeIsToldSo() async throws {
    try await Fixture.with { fixture in
      let plain = try await fixture.request("GET", Self.exec)
      #expect(plain.status == 400 && plain.json["message"] == "Upgrade request required" && plain.json["kind"] == "Status")
      let other = try await fixture.request("POST", Self.exec, fields: ["Connection: Upgrade", "Upgrade: h2c"])
      #expect(other.status == 400)
      let version = try await fixture.request("POST", Self.exec, fields: ["Connection: Upgrade", "Upgrade: SPDY/3.1"])
      #expect(version.status == 400 && version.text.contains("X-Stream-Protocol-Version"))
      let none = try await fixture.request(
        "POST", Self.exec, fields: ["Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v9.channel.k8s.io"])
      #expect(none.status == 403 && none.text.contains("unable to negotiate protocol"))
      #expect(
        none.headers.filter { $0.name == "x-accepted-stream-protocol-versions" }.map(\.value) == ["v5.channel.k8s.io", "v4.channel.k8s.io"])
      for (target, status) in [
        (Self.exec.replacing("web-0", with: "no"), 404), (Self.exec + "&container=no", 400),
        ("/api/v1/namespaces/dev/pods/web-0/exec?command=cat", 400), ("/api/v1/namespaces/dev/pods/web-0/exec?stdin=true", 400),
        ("/api/v1/namespaces/dev/pods/web-0/portforward", 400),
      ] {
        let answer = try await fixture.request("GET", target, fields: Self.webSocket)
        #expect(answer.status == status, "\(target): \(answer.text)")
      }
    }
  }

  @Test func bothMethodsNeedTheRightToCreate() async throws {
    try await Fixture.with { fixture in
      for (method, fields) in [("GET", Self.webSocket), ("POST", Self.spdy)] {
        let refused = try await fixture.request(method, Self.exec, user: "vera", groups: ["view"], fields: fields)
        #expect(refused.status == 403 && refused.text.contains(#"cannot \#(method == "GET" ? "get" : "create") resource \"pods/exec\""#))
      }
    }
  }

  @Test func theAnswerNamesWhatWasChosen() async throws {
    try await Fixture.with { fixture in
      let client = try await fixture.connect(as: fixture.pki.frontProxy)
      try await client.send(
        (["GET \(Self.exec) HTTP/1.1", "Host: x", "X-Remote-User: a", "X-Remote-Group: system:masters"] + Self.webSocket).joined(
          separator: "\r\n") + "\r\n\r\n")
      let answer = String(decoding: try await client.bytes { $0.firstRange(of: Array("\r\n\r\n".utf8)) != nil }, as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 101 ") && answer.contains("Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n"))
      #expect(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
      #expect(fixture.cluster.recordedRequests().last?.status == 101)
    }
  }
}
