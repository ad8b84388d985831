import NIOCore
import SallyportJOSE
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportAuthentication

/// Providers over real TLS, most of them up to no good. Each fetch ends, and within its bounds.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HostileProviderTests {
  private let pki: TestPKI
  private let key: TokenMint.Key

  init() throws {
    self.pki = try TestPKI()
    self.key = try TokenMint.Key()
  }

  private func fetch(
    _ provider: TestProvider, issuer: String? = nil, discoveryURL: String? = nil, authority: String? = nil,
    timeLimit: Duration = .seconds(30)
  ) async throws(ProviderFault) -> KeySet {
    try await ProviderFetcher(
      issuer: issuer ?? provider.issuer,
      provider: .init(discoveryURL: discoveryURL, certificateAuthority: authority ?? self.pki.serverAuthority.certificatePEM),
      timeLimit: timeLimit
    ).fetch()
  }

  private func with(_ body: (TestProvider) async throws -> Void) async throws {
    let provider = try await TestProvider(certificate: self.pki.server)
    do {
      try await body(provider)
      await provider.close()
    } catch {
      await provider.close()
      throw error
    }
  }

  /// Expects a fault that says this.
  private func expectFault(
    _ provider: TestProvider, _ text: String, timeLimit: Duration = .seconds(30), sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    do throws(ProviderFault) {
      _ = try await self.fetch(provider, timeLimit: timeLimit)
      Issue.record("keys were taken", sourceLocation: sourceLocation)
    } catch {
      #expect(error.description.contains(text), "\(error)", sourceLocation: sourceLocation)
    }
  }

  @Test func anHonestProvidersKeysAreFetched() async throws {
    try await self.with { provider in
      provider.serve(try TokenMint.keySet(self.key))
      let keys = try await self.fetch(provider)
      #expect(keys.keys.map(\.keyID) == ["key-1"])
      #expect(provider.paths == ["/.well-known/openid-configuration", "/keys"])
    }
  }

  @Test func discoveryMayBeElsewhereButNamesTheIssuer() async throws {
    try await self.with { provider in
      let keySet = try TokenMint.keySet(self.key)
      let base = provider.issuer
      provider.answer { path, channel in
        TestProvider.send(path == "/keys" ? keySet : #"{"issuer":"https://idp.example.org","jwks_uri":"\#(base)/keys"}"#, to: channel)
      }
      _ = try await self.fetch(provider, issuer: "https://idp.example.org", discoveryURL: "\(base)/elsewhere")
      await self.expectFault(provider, "another issuer's")
    }
  }

  @Test func unusableKeysDoNotMakeTheOthersUnusable() async throws {
    try await self.with { provider in
      provider.serve(
        TokenMint.keySet([
          #"{"kty":"oct","k":"c2VjcmV0","kid":"a"}"#, #"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"b"}"#, "7", #"{"kty":"XYZ"}"#,
          try self.key.entry(["use": #""enc""#, "kid": #""c""#]), try self.key.entry(["key_ops": #"["sign"]"#, "kid": #""d""#]),
          try self.key.entry(["alg": #""ECDH-ES""#, "kid": #""e""#]), try self.key.entry(["d": #""AQAB""#, "kid": #""f""#]),
          try self.key.entry(["alg": #""ES256""#, "use": #""sig""#, "kid": #""good""#]),
        ]))
      let keys = try await self.fetch(provider)
      #expect(keys.keys.map(\.keyID) == ["good"])
      #expect(keys.unusable.count == 8)
    }
  }

  @Test func documentsThatAreNoneAreRefused() async throws {
    try await self.with { provider in
      for (document, fault) in [
        ("", "cannot be read"), ("<html>", "cannot be read"), ("{}", "no array"), (#"{"keys":[]}"#, "no key"),
        (#"{"keys":{}}"#, "no array"),
        (#"{"keys":[],"keys":[]}"#, "repeated"), (#"{"keys":[{"kty":"oct"}]}"#, "no key that can be used"),
        (TokenMint.keySet(Array(repeating: try self.key.entry(), count: 65)), "more than 64"),
        (#"{"keys":\#(String(repeating: "[", count: 100_000))"#, "nested"),
      ] {
        provider.serve(document)
        await self.expectFault(provider, fault)
      }
    }
  }

  @Test func answersThatAreNoneAreRefused() async throws {
    try await self.with { provider in
      let issuer = provider.issuer
      for (answer, fault) in [
        ("HTTP/1.1 302 Found\r\nLocation: \(issuer)/other\r\nContent-Length: 0\r\n\r\n", "status 302"),
        ("HTTP/1.1 301 Moved Permanently\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", "status 301"),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status 500"), ("HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", "not sent as JSON"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n{", "longer than"), ("SSH-2.0-OpenSSH\r\n\r\n", "could not be fetched"),
      ] {
        provider.answer { _, channel in TestProvider.sendAndClose(answer, to: channel) }
        await self.expectFault(provider, fault)
      }
      #expect(Set(provider.paths) == ["/.well-known/openid-configuration"])
    }
  }

  @Test func anEndlessDocumentIsCutOff() async throws {
    try await self.with { provider in
      provider.answer { _, channel in
        channel.writeAndFlush(
          ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"), promise: nil)
        @Sendable func more() {
          let chunk = String(repeating: " ", count: 0x10000)
          channel.writeAndFlush(ByteBuffer(string: "10000\r\n\(chunk)\r\n")).whenSuccess { more() }
        }
        more()
      }
      await self.expectFault(provider, "longer than")
    }
  }

  @Test func slowBytesEndWithTheTime() async throws {
    try await self.with { provider in
      provider.answer { _, channel in
        channel.writeAndFlush(
          ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"), promise: nil)
        channel.eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(50), delay: .milliseconds(50)) { task in
          guard channel.isActive else { return task.cancel() }
          channel.writeAndFlush(ByteBuffer(string: " "), promise: nil)
        }
      }
      let began = ContinuousClock.now
      await self.expectFault(provider, "did not answer within", timeLimit: .seconds(1))
      #expect(ContinuousClock.now - began < .seconds(20))
      provider.answer { _, _ in }
      await self.expectFault(provider, "did not answer within", timeLimit: .seconds(1))
    }
  }

  @Test func keysAreFetchedByTLSAlone() async throws {
    try await self.with { provider in
      let issuer = provider.issuer
      for address in ["http://localhost:\(provider.port)/keys", "file:///etc/passwd", "//localhost/keys", "https://user@localhost/keys"] {
        provider.answer { _, channel in TestProvider.send(#"{"issuer":"\#(issuer)","jwks_uri":"\#(address)"}"#, to: channel) }
        await self.expectFault(provider, "not at an https URL")
      }
    }
  }

  @Test func aProviderThatNobodyVouchesForIsNotBelieved() async throws {
    try await self.with { provider in
      provider.serve(try TokenMint.keySet(self.key))
      for authority in [self.pki.clientAuthority.certificatePEM] {
        do throws(ProviderFault) {
          _ = try await self.fetch(provider, authority: authority)
          Issue.record("a strange certificate was believed")
        } catch {
          #expect(error.description.contains("could not be fetched"))
        }
      }
      #expect(provider.paths.isEmpty)
    }
  }
}
