import Foundation
import NIOCore
import NIOSSL
import SallyportConfiguration
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

@testable import SallyportService

/// A configuration and its files read anew while the house is in use.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ReloadTests {
  private static let pods = "GET /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n"

  private func usersFile(without name: String) -> String {
    Person.usersFile.replacing(#/- name: (\w+)\n(  .*\n)+/#) { $0.1 == name ? "" : String($0.0) }
  }

  // MARK: Passwords

  /// Also a judgement that is remembered, on a connection that is kept.
  @Test func whoIsTakenOutOfThePasswordFileIsOutAtOnce() async throws {
    try await House.with { house in
      let client = try await house.connect()
      for status in [200, 200] {
        try await client.send("\(Self.pods)\(Person.bob.basic)\r\n\r\n")
        #expect(try await house.answer(from: client).status == status)
      }
      try house.directory.write(self.usersFile(without: "bob"), to: "users.yaml")
      try await house.reload()
      try await client.send("\(Self.pods)\(Person.bob.basic)\r\n\r\n")
      #expect(try await house.answer(from: client).status == 401)
      try await client.send("\(Self.pods)\(Person.vera.basic)\r\n\r\n")
      #expect(try await house.answer(from: client).status == 200)
      // And back.
      try house.directory.write(Person.usersFile, to: "users.yaml")
      try await house.reload()
      #expect(try await house.ask("\(Self.pods)\(Person.bob.basic)\r\n\r\n").status == 200)
    }
  }

  @Test func streamsOfWhoIsGoneAreCutAndOthersStay() async throws {
    try await House.with { house in
      let (bobs, bobsAnswer) = try await house.watch(Person.bob.basic + "\r\n")
      let (veras, _) = try await house.watch(Person.vera.basic + "\r\n")
      try house.directory.write(self.usersFile(without: "bob"), to: "users.yaml")
      try await house.reload()
      _ = try? await bobs.readToEnd()
      let record = try await house.record("bob's watch") { $0.auditID == bobsAnswer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "userRemoved")
      #expect(record.error == "streamCut: userRemoved")
      #expect(house.cluster?.openWatches == 1)
      try house.cluster?.seed(
        #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"later","namespace":"dev"},"spec":{"containers":[{"name":"a","image":"b"}]}}"#)
      #expect(try await veras.read(until: "later").contains("ADDED"))
      await veras.close()
    }
  }

  @Test(arguments: [
    ("groups: [edit]", "groups: [view]", "identityChanged"),
    ("groups: [edit]", "groups: [edit]\n  disabled: true", "userRemoved"),
    ("practice$MigJ", "practice$NigJ", "credentialChanged"),
  ]) func aStreamEndsWithWhatItsUserWas(_ old: String, _ new: String, _ reason: String) async throws {
    try await House.with { house in
      let (client, answer) = try await house.watch(Person.bob.basic + "\r\n")
      try house.directory.write(Person.usersFile.replacing(old, with: new), to: "users.yaml")
      try await house.reload()
      _ = try? await client.readToEnd()
      let record = try await house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == reason)
    }
  }

  // MARK: Policies, routes, listeners

  @Test func aNewPolicyHoldsAtOnceAndCutsWhatItDenies() async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      let kept = try await house.connect(as: alice)
      try await kept.send("\(Self.pods)\r\n")
      #expect(try await house.answer(from: kept).status == 200)
      let (watch, answer) = try await house.watch(as: alice)
      try house.directory.write(
        """
        apiVersion: sallyport.dev/v1alpha1
        kind: AccessPolicy
        metadata: {name: no-pods}
        rules:
        - name: no-reads
          deny: [{resources: [pods], verbs: [list, watch]}]
          message: Pods are private.
        """, to: "policy.yaml")
      try house.change("audit:", to: "policy: {files: [policy.yaml]}\naudit:")
      try await house.reload()
      try await kept.send("\(Self.pods)\r\n")
      let denied = try await house.answer(from: kept)
      #expect(denied.status == 403 && denied.kubernetesStatus?.message == "Pods are private.")
      _ = try? await watch.readToEnd()
      let record = try await house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "policyDenies")
      #expect(try await house.metric(#"sallyport_policy_denials_total{route="api",rule="no-pods/no-reads"}"#) == 1)
      #expect(try await house.metric(#"sallyport_streams_ended_total{reason="policyDenies"}"#) == 1)
    }
  }

  @Test func aRouteThatIsGoneTakesItsStreamsAlong() async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      let (watch, answer) = try await house.watch(as: alice)
      try house.change("- name: api", to: "- name: api-2")
      try await house.reload()
      _ = try? await watch.readToEnd()
      let record = try await house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "routeRemoved")
      let served = try await house.get("/version", as: alice)
      #expect(try house.closingRecord(of: served).fact("route") == "api-2")
    }
  }

  @Test func listenersComeAndGo() async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      let tls = "tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCAFile: client-ca.pem}"
      try house.change("listeners:\n", to: "listeners:\n- {name: second, address: '127.0.0.1:0', \(tls)}\n")
      try await house.reload()
      try #require(house.gateway.addresses.count == 2)
      let first = try #require(house.gateway.addresses[1].port)
      let second = try #require(house.gateway.addresses[0].port)
      #expect(first != second)
      let client = try await RawTLSClient.connect(
        port: second, tls: RawTLSClient.TLS(roots: try house.pki.serverAuthority.trustRoots(), certificate: alice))
      try await client.send("GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
      _ = try await client.read(until: "\r\n\r\n")

      try house.change("- {name: second, address: '127.0.0.1:0', \(tls)}\n", to: "")
      try await house.reload()
      #expect(house.gateway.addresses.map(\.port) == [first])
      _ = try? await client.readToEnd()
      let record = try await house.record("the watch") { $0.verb == "watch" && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "listenerRemoved")
      await #expect(throws: (any Error).self) { try await RawTLSClient.connect(port: second, tls: nil) }
      #expect(try await house.get("/version", as: alice).status == 200)
    }
  }

  @Test func aListenersLimitsChangeForNewConnections() async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      let long = "GET /version HTTP/1.1\r\nHost: localhost\r\nX-Long: \(String(repeating: "x", count: 4000))\r\n\r\n"
      #expect(try await house.ask(long, as: alice).status == 200)
      try house.change("authentication:\n", to: "  limits: {headBytes: 2KiB}\nauthentication:\n")
      try await house.reload()
      #expect(try await house.ask(long, as: alice).status == 431)
    }
  }

  // MARK: Certificates

  @Test func aServersNewCertificateIsShownAndOldConnectionsGoOn() async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      let kept = try await house.connect(as: alice)
      try await kept.send("\(Self.pods)\r\n")
      #expect(try await house.answer(from: kept).status == 200)
      let renewed = try house.pki.server(names: ["localhost", "renewed.example.org"])
      try house.directory.write(renewed.chainPEM, to: "server.pem")
      try house.directory.write(renewed.privateKeyPEM, to: "server.key")
      try await house.reload()
      let fresh = try await house.connect(as: alice) { $0.serverName = "renewed.example.org" }
      try await fresh.send("GET /version HTTP/1.1\r\nHost: renewed.example.org\r\n\r\n")
      #expect(try await house.answer(from: fresh).status == 200)
      try await kept.send("\(Self.pods)\r\n")
      #expect(try await house.answer(from: kept).status == 200)
    }
  }

  /// CVE-2024-23656: a reload must not lose what was said about versions.
  @Test func theOldestVersionIsStillTheOldestAfterAReload() async throws {
    var plan = House.Plan()
    plan.listener = ["limits: {idleTimeout: 1m}"]
    try await House.with(plan) { house in
      for _ in 0..<2 {
        await #expect(throws: (any Error).self) {
          try await house.connect {
            $0.minimumVersion = .tlsv1
            $0.maximumVersion = .tlsv11
          }
        }
        #expect(try await house.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n") { $0.maximumVersion = .tlsv12 }.status == 200)
        let renewed = try house.pki.server(names: ["localhost"])
        try house.directory.write(renewed.chainPEM, to: "server.pem")
        try house.directory.write(renewed.privateKeyPEM, to: "server.key")
        try await house.reload()
      }
      try house.change("clientCAFile: client-ca.pem", to: "clientCAFile: client-ca.pem, minimumVersion: \"1.3\"")
      try await house.reload()
      await #expect(throws: (any Error).self) { try await house.connect { $0.maximumVersion = .tlsv12 } }
    }
  }

  @Test func anAuthorityThatIsDroppedTakesItsConnectionsAndStreamsAlong() async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      let kept = try await house.connect(as: alice)
      try await kept.send("\(Self.pods)\r\n")
      #expect(try await house.answer(from: kept).status == 200)
      let (watch, answer) = try await house.watch(as: alice)
      let other = try CertificateAuthority(.authority("Another Client CA"))

      // One that is added changes nothing for those who are here.
      try house.directory.write(house.pki.clientAuthority.certificatePEM + other.certificatePEM, to: "client-ca.pem")
      try await house.reload()
      #expect(house.cluster?.openWatches == 1)

      try house.directory.write(other.certificatePEM, to: "client-ca.pem")
      try await house.reload()
      _ = try? await watch.readToEnd()
      let record = try await house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "certificateDistrusted")
      #expect(try await kept.readToEnd() == "", "the kept connection ends")
      await #expect(throws: (any Error).self) {
        try await house.ask("\(Self.pods)\r\n", as: alice)
      }
    }
  }

  // MARK: Upstreams

  @Test func connectionsToAnUpstreamGoOnWhereNothingChanged() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let kept = try await house.connect(as: house.certificate("alice"))
      func ask() async throws {
        try await kept.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try await house.answer(from: kept).status == 200)
      }
      try await ask()
      try house.change("audit:", to: "# nothing\naudit:")
      try await house.reload()
      try await ask()
      #expect(upstream.connections == 1)
      // Another setting is another upstream; the old one's connection goes.
      try house.change("serverName: localhost", to: "serverName: localhost\n  idleTimeout: 77s")
      try await house.reload()
      try await ask()
      #expect(upstream.connections == 2)
      try await eventually("the old connection's end") { upstream.openConnections == 1 }
    }
  }

  /// A new front-proxy certificate, while a request of the old generation still waits for its answer.
  @Test func aRequestUnderWayKeepsWhatItBeganWith() async throws {
    try await House.with(script: { _, _ in }) { house, upstream in
      let alice = try house.certificate("alice")
      let client = try await house.connect(as: alice)
      try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
      try await eventually("the request upstream") { upstream.requests.count == 1 }
      let renewed = try house.pki.frontProxyAuthority.issue(.client("front-proxy-2", groups: []))
      try house.directory.write(renewed.chainPEM, to: "front-proxy.pem")
      try house.directory.write(renewed.privateKeyPEM, to: "front-proxy.key")
      try house.change("audit:", to: "# renewed\naudit:")
      try await house.reload()
      upstream.peer(1)?.send(ScriptedUpstream.ok("late"))
      let answer = try await house.answer(from: client)
      #expect(answer.status == 200 && answer.body == "late")
      // The next goes by another connection.
      try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
      try await eventually("the second request upstream") { upstream.requests.count == 2 }
      upstream.peer(2)?.send(ScriptedUpstream.ok("new"))
      let next = try await house.answer(from: client)
      #expect(next.body == "new")
      #expect(try house.closingRecord(of: answer).fact("config") != house.closingRecord(of: next).fact("config"))
    }
  }

  // MARK: Faults

  @Test func aBrokenReloadKeepsTheOldAndSaysWhy() async throws {
    var plan = House.Plan()
    plan.sections = ["admin: {address: '127.0.0.1:0'}"]
    try await House.with(plan) { house in
      let alice = try house.certificate("alice", "view")
      let (watch, _) = try await house.watch(as: alice)
      try house.directory.write("users:\n- name: bob\n", to: "users.yaml")
      try house.directory.write("no certificate", to: "server.pem")
      let fault = await #expect(throws: StartFault.self) { try await house.reload() }
      #expect(
        fault?.messages.contains { $0.contains("users.yaml:2:3: users[0].passwordHash: is missing") } == true, "\(fault?.messages ?? [])")
      #expect(fault?.messages.contains { $0.contains("server.pem") } == true, "all faults at once: \(fault?.messages ?? [])")
      #expect(try await house.ask("\(Self.pods)\(Person.bob.basic)\r\n\r\n").status == 200)
      #expect(house.cluster?.openWatches == 1)
      let ready = try await house.look("/readyz?verbose")
      #expect(ready.status == 200, "a slip in a file takes no replica out of service")
      #expect(ready.body.contains("[+]reload ok, but: the last reload failed and the configuration before it is kept: "), "\(ready.body)")
      #expect(house.log.text.contains("users[0].passwordHash: is missing"))
      #expect(try await house.metric(#"sallyport_reloads_total{result="failure"}"#) == 1)
      #expect(try await house.metric("sallyport_reload_last_successful") == 0)

      try house.directory.write(Person.usersFile, to: "users.yaml")
      try house.directory.write(house.pki.server.chainPEM, to: "server.pem")
      try await house.reload()
      #expect(try await house.look("/readyz?verbose").body.contains("[+]reload ok\n"))
      #expect(try await house.metric("sallyport_reload_last_successful") == 1)
      #expect(try await house.metric("sallyport_generation") == 2)
      await watch.close()
    }
  }

  @Test func whatTakesARestartIsRefused() async throws {
    try await House.with { house in
      try house.change("directory: audit,", to: "directory: audit-2,")
      try house.change("listeners:\n", to: "server: {eventLoops: 3}\nlisteners:\n")
      let fault = await #expect(throws: StartFault.self) { try await house.reload() }
      #expect(
        fault?.messages.count == 2 && fault?.messages.allSatisfy { $0.contains("takes a restart") } == true, "\(fault?.messages ?? [])")
      #expect(try await house.get("/livez").status == 200)
    }
  }

  @Test func anAddressInUseIsRefusedAndNothingIsHalfDone() async throws {
    try await House.with { house in
      let tls = "tls: {certificateFile: server.pem, privateKeyFile: server.key}"
      try house.change(
        "listeners:\n",
        to: "listeners:\n- {name: free, address: '127.0.0.1:0', \(tls)}\n- {name: taken, address: '127.0.0.1:\(house.port)', \(tls)}\n")
      let fault = await #expect(throws: StartFault.self) { try await house.reload() }
      #expect(fault?.messages.first?.contains("is in use") == true, "\(fault?.messages ?? [])")
      #expect(house.gateway.addresses.count == 1)
      #expect(try await house.get("/livez").status == 200)
    }
  }

  @Test func theAdminListenerCanMove() async throws {
    var plan = House.Plan()
    plan.sections = ["admin: {address: '127.0.0.1:0'}"]
    try await House.with(plan) { house in
      let old = house.gateway.adminAddress?.port
      try house.change("admin: {address: '127.0.0.1:0'}", to: "admin: {address: 'localhost:0'}")
      try await house.reload()
      #expect(house.gateway.adminAddress?.port != old)
      #expect(try await house.look("/livez").status == 200)
      try house.change("admin: {address: 'localhost:0'}", to: "")
      try await house.reload()
      #expect(house.gateway.adminAddress == nil)
    }
  }
}
