import Foundation
import NIOCore
import SallyportCore
import SallyportJSON
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportAuthentication

/// The question as it goes over TLS (RFC 7662 section 2.1), and endpoints that do not answer it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct IntrospectionClientTests {
  private let pki: TestPKI

  init() throws { self.pki = try TestPKI() }

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

  private func ask(
    _ provider: TestProvider, _ token: String = "to+ken/~=", authority: String? = nil, timeout: Duration = .seconds(30),
    _ change: (inout IntrospectionEndpoint) -> Void = { _ in }
  ) async throws(ProviderFault) -> JSONValue {
    var endpoint = IntrospectionTests.endpoint("\(provider.issuer)/introspect")
    endpoint.certificateAuthority = authority ?? self.pki.serverAuthority.certificatePEM
    endpoint.timeout = timeout
    change(&endpoint)
    return try await IntrospectionClient(endpoint).answer(about: Secret(token))
  }

  @Test func theQuestionIsTheStandards() async throws {
    try await self.with { provider in
      provider.answer { _, channel in TestProvider.send(#"{"active":false}"#, to: channel) }
      #expect(try await self.ask(provider) == .object(["active": .bool(false)]))
      let asked = try #require(provider.requests.first)
      #expect(asked.head.hasPrefix("POST /introspect HTTP/1.1\r\n"))
      #expect(asked.body == "token=to%2Bken%2F%7E%3D&token_type_hint=access_token")
      let fields = asked.head.lowercased()
      #expect(fields.contains("\r\ncontent-type: application/x-www-form-urlencoded"))
      #expect(fields.contains("\r\naccept: application/json"))
      #expect(asked.head.contains("Basic \(Data("sallyport:very+secret".utf8).base64EncodedString())") == false)
      #expect(asked.head.contains("Basic \(Data("sallyport:very%20secret".utf8).base64EncodedString())"))
      // Names and secrets with a colon or an umlaut stay what they are (RFC 6749 section 2.3.1).
      _ = try await self.ask(provider) {
        $0.clientID = "a:b"
        $0.clientSecret = Secret("ü&=")
      }
      #expect(provider.requests[1].head.contains("Basic \(Data("a%3Ab:%C3%BC%26%3D".utf8).base64EncodedString())"))
      _ = try await self.ask(provider) { $0.clientAuthentication = .post }
      let posted = provider.requests[2]
      #expect(posted.body.hasSuffix("&client_id=sallyport&client_secret=very%20secret"))
      #expect(!posted.head.lowercased().contains("authorization"))
    }
  }

  @Test func answersThatAreNoneTellNothing() async throws {
    try await self.with { provider in
      for (answer, fault) in [
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "status 401"),
        ("HTTP/1.1 302 Found\r\nLocation: \(provider.issuer)/other\r\nContent-Length: 0\r\n\r\n", "status 302"),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status 500"),
        (#"HTTP/1.1 201 Created\#r\#nContent-Length: 15\#r\#n\#r\#n{"active":true}"#, "status 201"),
        (#"HTTP/1.1 200 OK\#r\#nContent-Type: text/html\#r\#nContent-Length: 15\#r\#n\#r\#n{"active":true}"#, "not sent as JSON"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n{", "longer than"),
        (#"HTTP/1.1 200 OK\#r\#nContent-Length: 30\#r\#n\#r\#n{"active":false,"active":true}"#, "repeated"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"active\":", "could not be fetched"),
      ] {
        provider.answer { _, channel in
          channel.writeAndFlush(ByteBuffer(string: answer)).whenComplete { _ in channel.close(promise: nil) }
        }
        do throws(ProviderFault) {
          _ = try await self.ask(provider)
          Issue.record("an answer was taken: \(answer)")
        } catch {
          #expect(error.description.contains(fault), "\(error)")
          #expect(!error.description.contains("ken") && !error.description.contains("very"))
        }
      }
      #expect(Set(provider.paths) == ["/introspect"])
    }
  }

  @Test func anEndpointThatHangsEndsWithTheTime() async throws {
    try await self.with { provider in
      provider.answer { _, _ in }
      await #expect(throws: ProviderFault.self) { try await self.ask(provider, timeout: .milliseconds(300)) }
    }
  }

  @Test func anEndpointThatNobodyVouchesForHearsNoToken() async throws {
    try await self.with { provider in
      await #expect(throws: ProviderFault.self) {
        try await self.ask(provider, authority: self.pki.clientAuthority.certificatePEM)
      }
      await #expect(throws: ProviderFault.self) {
        try await self.ask(provider) { $0.url = "http://localhost:\(provider.port)/introspect" }
      }
      #expect(provider.requests.isEmpty)
    }
  }
}
