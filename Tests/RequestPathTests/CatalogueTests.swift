import Foundation
import NIOConcurrencyHelpers
import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

@testable import SallyportService

/// An upstream that is asked for its own description (`openapi: upstream`).
@Suite(.serialized, .timeLimit(.minutes(5))) struct CatalogueTests {
  static let secrets = PolicyTests.policy(
    "by-returns", "- {name: r, deny: [{returns: [io.k8s.api.core.v1.Secret]}], message: No secrets.}")

  static func plan(_ policy: String = secrets) -> House.Plan {
    var plan = PolicyTests.plan(["p.yaml": policy])
    plan.upstream = ["openapi: upstream"]
    plan.sections.append("admin: {address: 127.0.0.1:0}")
    plan.catalogues.every = .milliseconds(100)
    plan.catalogues.document = .seconds(10)
    return plan
  }

  @Test func theServersOwnDescriptionIsWhatRulesSpeakOf() async throws {
    try await House.with(Self.plan()) { house in
      let bob = Person.bob.basic
      let denied = try await house.get("/api/v1/namespaces/dev/secrets/web-login", bob)
      #expect(denied.status == 403 && denied.kubernetesStatus?.message == "No secrets.")
      #expect(try await house.get("/api/v1/namespaces/dev/pods", bob).status == 200)
      let unknown = try await house.get("/apis/example.org/v1/namespaces/dev/widgets", bob)
      #expect(try house.closingRecord(of: unknown).fact("rule") == "by-returns/unknown-operation")
      let ready = try await house.look("/readyz?verbose")
      #expect(ready.status == 200 && ready.body.contains("[+]catalogue ok: kubernetes was confirmed 0 s ago"), "\(ready.body)")
      #expect(try await house.metric(#"sallyport_catalogue_loaded{upstream="kubernetes"}"#) == 1)
      #expect(try #require(await house.metric(#"sallyport_catalogue_operations{upstream="kubernetes"}"#)) > 100)
      #expect(try #require(await house.metric(#"sallyport_catalogue_age_seconds{upstream="kubernetes"}"#)) < 60)
      // It is the gateway that asked, as a user of its own.
      let asked = try #require(house.cluster?.recordedRequests().first { $0.requestURI == "/openapi/v3" })
      #expect(asked.user == "sallyport")
    }
  }

  /// What a scripted server has to say of itself at the moment.
  private final class Server: Sendable {
    struct State: Sendable {
      var isUp = false
      var hasWidgets = false
    }
    let state = NIOLockedValueBox(State())

    func change(_ body: (inout State) -> Void) { self.state.withLockedValue(body) }

    var script: ScriptedUpstream.Script {
      { [state] moment, peer in
        guard case .end(let request) = moment else { return }
        let state = state.withLockedValue { $0 }
        let target = request.line.split(separator: " ")[1]
        guard target.hasPrefix("/openapi") else { return peer.send(ScriptedUpstream.ok()) }
        guard state.isUp else { return peer.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n") }
        let path = target.split(separator: "?")[0]
        switch path {
        case "/openapi/v3": peer.send(ScriptedUpstream.ok(state.hasWidgets ? ServerDescription.indexWithWidgets : ServerDescription.index))
        case "/openapi/v3/api/v1": peer.send(ScriptedUpstream.ok(ServerDescription.core))
        case "/openapi/v3/apis/example.org/v1": peer.send(ScriptedUpstream.ok(ServerDescription.widgets))
        default: peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        }
      }
    }
  }

  /// Asks until the answer is the one that is waited for, over one connection that is kept.
  private func eventually(_ status: Int, _ target: String, _ client: RawTLSClient, _ house: House) async throws {
    var last = 0
    for _ in 0..<400 {
      try await client.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")
      last = try await house.answer(from: client).status
      if last == status { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("\(target) is answered \(last) and never \(status)")
  }

  @Test func aGatewayStartsWithoutItsUpstreamAndClosed() async throws {
    let server = Server()
    var plan = Self.plan()
    plan.behind = .script(server.script)
    try await House.with(plan) { house in
      let client = try await house.connect(as: house.certificate("alice"))
      try await client.send("GET /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let denied = try await house.answer(from: client)
      #expect(denied.status == 403)
      #expect(try house.closingRecord(of: denied).fact("rule") == "by-returns/unknown-operation")
      let red = try await house.look("/readyz?verbose")
      #expect(
        red.status == 500 && red.body.contains("[-]catalogue failed: the API description of kubernetes was never read"), "\(red.body)")
      try await self.eventually(200, "/version", client, house)

      server.change { $0.isUp = true }
      try await self.eventually(200, "/api/v1/namespaces/dev/pods", client, house)
      try await self.eventually(403, "/api/v1/namespaces/dev/secrets", client, house)
      #expect(try await house.look("/readyz").status == 200)

      // An API is installed while the gateway runs.
      try await self.eventually(403, "/apis/example.org/v1/namespaces/dev/widgets", client, house)
      server.change { $0.hasWidgets = true }
      try await self.eventually(200, "/apis/example.org/v1/namespaces/dev/widgets", client, house)

      // The server is lost, and what it said last is kept.
      server.change { $0.isUp = false }
      try await Task.sleep(for: .milliseconds(600))
      try await self.eventually(200, "/apis/example.org/v1/namespaces/dev/widgets", client, house)
      try await self.eventually(403, "/api/v1/namespaces/dev/secrets", client, house)
      #expect(try #require(await house.metric(#"sallyport_catalogue_refreshes_total{upstream="kubernetes",result="failure"}"#)) > 0)
      let late = try await house.look("/readyz?verbose")
      #expect(late.status == 200 && late.body.contains("and what was read last is kept: /openapi/v3 was answered with 503"), "\(late.body)")

      // A reload keeps it too.
      try house.directory.write(Self.secrets.replacing("No secrets.", with: "None."), to: "p.yaml")
      try await house.reload()
      try await client.send("GET /api/v1/namespaces/dev/secrets HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(try await house.answer(from: client).kubernetesStatus?.message == "None.")
      try await self.eventually(200, "/apis/example.org/v1/namespaces/dev/widgets", client, house)
    }
  }

  @Test func aNameThatTheServerDoesNotHaveIsToldOfAndNoReasonNotToStart() async throws {
    let policy = PolicyTests.policy("p", "- {name: r, deny: [{operations: [\"readSecrets*\", readWidget]}]}")
    let server = Server()
    server.change { $0.isUp = true }
    var plan = Self.plan(policy)
    plan.behind = .script(server.script)
    try await House.with(plan) { house in
      #expect(try await house.metric("sallyport_policy_unknown_names") == 2)
      #expect(house.log.text.contains("selects no operation of the OpenAPI document; did you mean `readSecret*`?"))
      let client = try await house.connect(as: house.certificate("alice"))
      server.change { $0.hasWidgets = true }
      try await self.eventually(403, "/apis/example.org/v1/namespaces/dev/widgets/w", client, house)
      try await self.eventually(200, "/apis/example.org/v1/namespaces/dev/widgets", client, house)
      #expect(try await house.metric("sallyport_policy_unknown_names") == 1)
    }
  }

  @Test func aCredentialThatTellsNobodysNameCannotAsk() async throws {
    try await House.with(Self.plan()) { house in
      try house.change("requestHeaders: {certificateFile: front-proxy.pem, privateKeyFile: front-proxy.key}", to: "none: {}")
      let fault = await #expect(throws: StartFault.self) { try await house.reload() }
      #expect(
        fault?.description.contains("no route to it has a credential that tells the upstream who asks") == true,
        "\(String(describing: fault))")
    }
  }
}
