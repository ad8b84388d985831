import Foundation
import NIOConcurrencyHelpers
import NIOCore
import SallyportPKI
import TestSupport
import Testing

extension SystemTests {
  /// Tokens under load while the provider hangs, goes and comes back, behind the built `sallyport`.
  @Suite(.serialized) struct TokenFaultTests {
    /// A provider that signs and is asked; it hangs as a stopped process does: what came meanwhile is answered when it goes on.
    private final class Provider: Sendable {
      private struct State {
        var keySet = ""
        var held: [(path: String, body: String, channel: any Channel)]?
      }

      let issuer: String
      let port: Int
      private let certificate: TestCertificate
      private let server: NIOLockedValueBox<TestProvider>
      private let state = NIOLockedValueBox(State())

      init(certificate: TestCertificate, keySet: String) async throws {
        let server = try await TestProvider(certificate: certificate)
        self.certificate = certificate
        self.server = NIOLockedValueBox(server)
        self.issuer = server.issuer
        self.port = server.port
        self.publish(keySet)
        self.serve(server)
      }

      func publish(_ keySet: String) { self.state.withLockedValue { $0.keySet = keySet } }

      private func serve(_ server: TestProvider) {
        server.answer { [weak self, weak server] path, channel in
          guard let self, let body = server?.requests.last?.body else { return }
          let isHeld = self.state.withLockedValue { state in
            state.held?.append((path, body, channel))
            return state.held != nil
          }
          if !isHeld { self.answer(path, body, channel) }
        }
      }

      private func answer(_ path: String, _ body: String, _ channel: any Channel) {
        switch path {
        case "/.well-known/openid-configuration":
          TestProvider.send(#"{"issuer":"\#(self.issuer)","jwks_uri":"\#(self.issuer)/keys"}"#, to: channel)
        case "/keys": TestProvider.send(self.state.withLockedValue { $0.keySet }, to: channel)
        default:
          let token = body.dropFirst("token=".count).prefix { $0 != "&" }
          let user = token == "known-opaque" ? #""username":"olga","groups":["edit"]"# : #""username":"\#(token)""#
          TestProvider.send(token.hasPrefix("guess") ? #"{"active":false}"# : #"{"active":true,\#(user)}"#, to: channel)
        }
      }

      func hang() { self.state.withLockedValue { $0.held = [] } }

      func goOn() {
        let held = self.state.withLockedValue { state in
          defer { state.held = nil }
          return state.held ?? []
        }
        for (path, body, channel) in held { channel.eventLoop.execute { self.answer(path, body, channel) } }
      }

      func stop() async { await self.server.withLockedValue { $0 }.close() }

      func restart() async throws {
        let server = try await TestProvider(certificate: self.certificate, port: self.port)
        self.server.withLockedValue { $0 = server }
        self.serve(server)
      }
    }

    private struct Asked {
      let who: String
      let status: String
      let at: Int
    }

    private static func asked(_ load: RunningTool) -> [Asked] {
      // The last line may be half written.
      load.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { line in
        let words = line.split(separator: " ").map(String.init)
        return words.count == 3 ? Asked(who: words[0], status: words[1], at: Int(words[2]) ?? 0) : nil
      }
    }

    private static func accepting(_ provider: Provider, _ pki: TestPKI) -> ServedGateway.Change {
      { configuration, directory in
        try directory.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem")
        try directory.write("secret\n", to: "client-secret")
        let mappings = #"claimMappings: {username: {claim: NAME, prefix: ""}, groups: {claim: groups, prefix: ""}}"#
        configuration =
          configuration
          .replacing(
            "authentication: {clientCertificates: {}}",
            with: """
              authentication:
                clientCertificates: {}
                cache: {lifetime: 10m}
                tokens:
                - jwt:
                    issuer: {url: "\(provider.issuer)", audiences: [kubernetes], certificateAuthorityFile: idp-ca.pem}
                    \(mappings.replacing("NAME", with: "email"))
                - introspection:
                    {url: "\(provider.issuer)/introspect", clientID: sallyport, clientSecretFile: client-secret, timeout: 3s,
                     certificateAuthorityFile: idp-ca.pem, \(mappings.replacing("NAME", with: "username"))}
              """
          )
          .replacing("[clientCertificate]", with: "[clientCertificate, token]")
      }
    }

    @Test func aProviderThatHangsOrGoesLetsNobodyInAndStopsNobodyKnown() async throws {
      let pki = try TestPKI()
      let (first, second, forger) = (try TokenMint.Key(id: "first"), try TokenMint.Key(id: "second"), try TokenMint.Key(id: "first"))
      let provider = try await Provider(certificate: pki.server, keySet: TokenMint.keySet(first))
      try await ServedGateway.with(changing: Self.accepting(provider, pki)) { served in
        let mint = TokenMint(issuer: provider.issuer, now: Int(Date().timeIntervalSince1970))
        func tokens(_ name: String, by key: TokenMint.Key, groups: String, count: Int = 1200) throws {
          let lines = try (0..<count).map {
            try mint.token(key, ["jti": "\"\(name)-\($0)\"", "groups": groups, "email": "\"\(name)-\($0)@example.org\""])
          }
          try served.directory.write(lines.joined(separator: "\n"), to: name)
        }
        try tokens("known", by: first, groups: #"["edit"]"#, count: 1)
        try tokens("new", by: first, groups: "[]")
        try tokens("rotated", by: second, groups: "[]")
        try tokens("forged", by: forger, groups: #"["edit"]"#)
        let load = try RunningTool(
          Installation.python,
          [Installation.client("token_load.py"), "\(served.port)", served.file("server-ca.pem"), "110", served.directory.path])
        func wait(_ what: String, _ condition: @escaping ([Asked]) -> Bool) async throws {
          try await eventually(seconds: 40, what) { condition(Self.asked(load)) }
        }
        func count(_ asked: [Asked], _ who: String, _ status: String, after: Int = 0) -> Int {
          asked.count { $0.who == who && $0.status == status && $0.at > after }
        }
        try await wait("everybody is known") { asked in
          count(asked, "known", "200") > 200 && count(asked, "known-opaque", "200") > 200 && count(asked, "new", "403") > 20
            && count(asked, "new-opaque", "403") > 20
        }
        for fault in ["hung", "gone"] {
          if fault == "hung" { provider.hang() } else { await provider.stop() }
          try await wait("the outage shows") { asked in asked.last { $0.who == "new-opaque" }?.status == "503" }
          // A key that nobody has seen is published while nobody can fetch it.
          if fault == "gone" { provider.publish(try TokenMint.keySet(first, second)) }
          try await Task.sleep(for: .seconds(6))
          let from = Self.asked(load).map(\.at).max() ?? 0
          if fault == "hung" { provider.goOn() } else { try await provider.restart() }
          // A starved machine gets longer than the five seconds that are promised; what it took is printed.
          try await wait("the provider is in use again") { asked in
            count(asked, "new-opaque", "403", after: from) > 5 && (fault == "hung" || count(asked, "rotated", "403", after: from) > 5)
          }
          for who in fault == "hung" ? ["new-opaque"] : ["new-opaque", "rotated"] {
            let seen = try #require(Self.asked(load).first { $0.who == who && $0.status == "403" && $0.at > from })
            print("\(who) tokens were judged \(seen.at - from) ms after the provider had been \(fault)")
          }
        }
        load.signal(SIGKILL)
        _ = try await load.result()

        let asked = Self.asked(load)
        let counts = Dictionary(grouping: asked) { "\($0.who) \($0.status)" }.mapValues(\.count)
        print("faults under load: \(counts.sorted { $0.key < $1.key })")
        func statuses(_ who: String) -> Set<String> { Set(asked.filter { $0.who == who }.map(\.status)) }
        // Who is known goes on, and so does whoever has a token by a key that is known; without groups they may do nothing.
        #expect(statuses("known") == ["200"] && statuses("known-opaque") == ["200"], "\(counts)")
        #expect((counts["known 200"] ?? 0) > 500 && (counts["known-opaque 200"] ?? 0) > 500, "\(counts)")
        #expect(statuses("new") == ["403"], "\(counts)")
        // A key that was not published, then could not be fetched, then was found.
        #expect(statuses("rotated") == ["401", "403"], "\(counts)")
        #expect(statuses("new-opaque") == ["403", "503"], "\(counts)")
        // Nobody gets in who should not.
        #expect(statuses("forged") == ["401"], "\(counts)")
        #expect(statuses("guess").isSubset(of: ["401", "503"]) && statuses("guess").contains("401"), "\(counts)")
      }
      await provider.stop()
    }
  }
}
