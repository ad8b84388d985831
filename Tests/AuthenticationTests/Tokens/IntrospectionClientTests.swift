import Foundation
import NIOCore
import SallyportCore
import SallyportJOSE
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
  ) async throws(ProviderFault) -> IntrospectionAnswer {
    var endpoint = IntrospectionTests.endpoint("\(provider.issuer)/introspect")
    endpoint.certificateAuthority = authority ?? self.pki.serverAuthority.certificatePEM
    endpoint.timeout = timeout
    change(&endpoint)
    return try await IntrospectionClient(endpoint).answer(about: Secret(token))
  }

  @Test func theQuestionIsTheStandards() async throws {
    try await self.with { provider in
      provider.answer { _, channel in TestProvider.send(#"{"active":false}"#, to: channel) }
      #expect(try await self.ask(provider) == .json(.object(["active": .bool(false)])))
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
        $0.clientAuthentication = .basic(Secret("ü&="))
      }
      #expect(provider.requests[1].head.contains("Basic \(Data("a%3Ab:%C3%BC%26%3D".utf8).base64EncodedString())"))
      _ = try await self.ask(provider) { $0.clientAuthentication = .post(Secret("very secret")) }
      let posted = provider.requests[2]
      #expect(posted.body.hasSuffix("&client_id=sallyport&client_secret=very%20secret"))
      #expect(!posted.head.lowercased().contains("authorization"))
    }
  }

  @Test(arguments: [SignatureAlgorithm.es256, .es384, .es512, .rs256])
  func theGatewaySaysWhoItIsByItsKey(_ algorithm: SignatureAlgorithm) async throws {
    let key = try TokenMint.Key(algorithm, id: "gateway-1")
    let own = try ClientAssertionKey(pem: try #require(key.privatePEM), keyID: "gateway-1")
    try await self.with { provider in
      provider.answer { _, channel in TestProvider.send(#"{"active":false}"#, to: channel) }
      for _ in 0..<2 {
        _ = try await self.ask(provider) { $0.clientAuthentication = .privateKeyJWT(own, audience: "https://idp.example.org") }
      }
      let published = try KeySet(of: key)
      var ids: Set<String> = []
      for asked in provider.requests {
        #expect(!asked.head.lowercased().contains("authorization"))
        let form = Dictionary(
          asked.body.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }.map { ($0[0], $0[1]) }
        ) { first, _ in first }
        #expect(form["client_id"] == "sallyport" && form["client_secret"] == nil && form["token"] == "to%2Bken%2F%7E%3D")
        #expect(form["client_assertion_type"] == "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
        let assertion = try SignedToken(Array(try #require(form["client_assertion"]).utf8))
        #expect(assertion.algorithm == algorithm && assertion.keyID == "gateway-1")
        #expect(published.candidates(for: "gateway-1", algorithm).contains { assertion.isSigned(by: $0) })
        #expect(assertion.claims["iss"]?.string == "sallyport" && assertion.claims["sub"]?.string == "sallyport")
        #expect(assertion.claims["aud"]?.string == "https://idp.example.org")
        guard case .integer(let issued)? = assertion.claims["iat"], case .integer(let expires)? = assertion.claims["exp"] else {
          Issue.record("the assertion has no times")
          return
        }
        #expect(expires - issued == 60 && abs(Double(issued) - Date().timeIntervalSince1970) < 60)
        ids.insert(try #require(assertion.claims["jti"]?.string))
      }
      // None is used twice.
      #expect(ids.count == 2)
    }
  }

  @Test func aSignedAnswerIsAskedForAndNothingElseIsTaken() async throws {
    let signed = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"
    let provider = TokenIssuer.Provider()
    for (answer, type) in [
      (IntrospectionEndpoint.Answer.introspectionJWT(provider), "application/token-introspection+jwt"),
      (.tokenJWT(provider), "application/jwt"),
    ] {
      try await self.with { provider in
        provider.answer { _, channel in TestProvider.send(signed, type: "\(type); charset=utf-8", to: channel) }
        let answered = try await self.ask(provider) { $0.answer = answer }
        #expect(answered == .signed(Secret(signed.utf8)))
        #expect(try #require(provider.requests.first).head.lowercased().contains("\r\naccept: \(type)"))
        for other in ["application/json", "text/plain", "application/octet-stream", "application/at+jwt", ""] {
          provider.answer { _, channel in TestProvider.send(signed, type: other, to: channel) }
          await #expect(throws: ProviderFault.self) { try await self.ask(provider) { $0.answer = answer } }
        }
        provider.answer { _, channel in
          channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 204 No Content\r\n\r\n"), promise: nil)
        }
        if type == "application/jwt" {
          let nothing = try await self.ask(provider) { $0.answer = answer }
          #expect(nothing == .nothing)
        } else {
          await #expect(throws: ProviderFault.self) { try await self.ask(provider) { $0.answer = answer } }
        }
      }
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
        provider.answer { _, channel in TestProvider.sendAndClose(answer, to: channel) }
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
