import Foundation
import NIOCore
import SallyportCore
import SallyportJSON
import TestSupport
import Testing

@testable import SallyportAuthentication

/// Somebody signs out at the provider, which tells the gateway (OpenID Connect Back-Channel Logout 1.0).
@Suite struct ProviderLogoutTests {
  private static let event = #"{"http://schemas.openid.net/event/backchannel-logout":{}}"#

  /// A logout token with other claims than an ordinary one's.
  private func token(
    _ station: ProviderStation, _ claims: [String: String] = [:], header: [String: String] = ["typ": #""logout+jwt""#],
    key: TokenMint.Key? = nil
  ) throws -> Secret {
    let now = Int(station.time.wall.timeIntervalSince1970)
    let mint = TokenMint(issuer: ProviderStation.issuer, audience: ProviderStation.clientID, now: now)
    let usual = [
      "email": "", "groups": "", "events": Self.event, "sid": #""sid-1""#, "jti": "\"\(UUID().uuidString)\"", "iat": "\(now)",
      "exp": "\(now + 120)",
    ]
    return Secret(try mint.token(key ?? station.key, usual.merging(claims) { $1 }, header: header).utf8)
  }

  private func send(_ token: Secret, to station: ProviderStation) async throws -> ProviderLogoutOutcome {
    try await station.authenticator.signOut(by: token, on: station.eventLoop).value
  }

  private func ended(_ outcome: ProviderLogoutOutcome) -> Int? { if case .ended(_, let keys) = outcome { keys.count } else { nil } }
  private func refusal(_ outcome: ProviderLogoutOutcome) -> Problem? { if case .refused(let problem) = outcome { problem } else { nil } }

  @Test func aSessionEndsByItsProvidersSession() async throws {
    let station = try ProviderStation()
    let (first, identity) = try await station.signedIn()
    let (time, key) = (station.time, station.key)
    station.provider.change { script in
      script.tokens = { _ throws(ProviderFault) in
        .success(ProviderStation.answer(key, at: time, refreshToken: "r", ["sid": #""sid-2""#]))
      }
    }
    let (second, _) = try await station.signedIn()
    let outcome = try await self.send(self.token(station), to: station)
    guard case .ended(_, let keys) = outcome else { return #expect(Bool(false), "\(outcome)") }
    #expect(keys == [try #require(identity.session?.key)])
    #expect(try await station.outcome(first).problem == AuthenticationProblem.sessionOver)
    #expect(try await station.outcome(second).identity != nil, "another browser of the same user")
    // All of the subject's.
    #expect(try await self.ended(self.send(self.token(station, ["sid": ""]), to: station)) == 1)
    #expect(try await station.outcome(second).problem == AuthenticationProblem.sessionOver)
    // Nobody is signed in any more, which is what was asked for.
    #expect(try await self.ended(self.send(self.token(station), to: station)) == 0)
  }

  @Test func providersFromBeforeTheStandardAreUnderstood() async throws {
    for header in [[:], ["typ": ""], ["typ": #""JWT""#], ["typ": #""application/logout+jwt""#]] {
      let station = try ProviderStation()
      _ = try await station.signedIn()
      #expect(try await self.ended(self.send(self.token(station, header: header), to: station)) == 1, "\(header)")
    }
  }

  /// `exp` came into the standard in December 2023.
  @Test func aTokenWithoutAnEndCounts() async throws {
    let station = try ProviderStation()
    _ = try await station.signedIn()
    #expect(try await self.ended(self.send(self.token(station, ["exp": ""]), to: station)) == 1)
  }

  @Test func aTokenCountsOnce() async throws {
    let station = try ProviderStation()
    _ = try await station.signedIn()
    let token = try self.token(station)
    #expect(try await self.ended(self.send(token, to: station)) == 1)
    let (cookie, _) = try await station.signedIn()
    #expect(try await self.refusal(self.send(token, to: station))?.detail.contains("jti") == true)
    #expect(try await station.outcome(cookie).identity != nil)
    // It is too old before its `jti` is forgotten.
    station.time.advance(by: .seconds(629))
    #expect(try await self.refusal(self.send(token, to: station)) != nil)
  }

  private static let bad: [(claims: [String: String], detail: String)] = [
    (["iss": #""https://evil.example""#], "iss"), (["aud": #""other""#], "aud"), (["aud": ""], "aud"), (["iat": ""], "iat"),
    (["iat": "1799999000"], "iat"), (["iat": "1800000100"], "iat"), (["exp": "1799999900"], "expired"),
    (["jti": ""], "jti"), (["jti": "1"], "jti"), (["jti": "\"\""], "jti"), (["nonce": #""nonce-1""#], "nonce"), (["events": ""], "events"),
    (["events": "{}"], "events"), (["events": #"{"http://schemas.openid.net/event/backchannel-logout":true}"#], "events"),
    (["events": #"["http://schemas.openid.net/event/backchannel-logout"]"#], "events"), (["sid": "", "sub": ""], "sid"),
    (["sid": "7"], "sid"), (["sub": "7"], "sub"), (["sid": "\"\""], "sid"),
  ]

  @Test(arguments: Self.bad) func whatIsNoLogoutTokenEndsNothing(_ claims: [String: String], _ detail: String) async throws {
    let station = try ProviderStation()
    let (cookie, _) = try await station.signedIn()
    let problem = try #require(try await self.refusal(self.send(self.token(station, claims), to: station)))
    #expect(problem == AuthenticationProblem.logoutRefused && problem.status == 400 && problem.detail.contains(detail), "\(problem.detail)")
    #expect(try await station.outcome(cookie).identity != nil)
  }

  @Test func onlyTheProvidersOwnKeyCounts() async throws {
    let station = try ProviderStation()
    let (cookie, _) = try await station.signedIn()
    let stranger = try TokenMint.Key(id: "key-1")
    for token in [
      try self.token(station, key: stranger), try self.token(station, header: ["alg": #""none""#]),
      try self.token(station, header: ["typ": #""at+jwt""#]), Secret("".utf8), Secret("a.b.c".utf8),
      Secret(Array(repeating: UInt8(ascii: "a"), count: 70_000)),
    ] {
      #expect(try await self.refusal(self.send(token, to: station)) == AuthenticationProblem.logoutRefused)
    }
    // An id_token is none.
    let now = Int(station.time.wall.timeIntervalSince1970)
    let idToken = try TokenMint(issuer: ProviderStation.issuer, audience: ProviderStation.clientID, now: now).token(station.key)
    #expect(try await self.refusal(self.send(Secret(idToken.utf8), to: station)) != nil)
    #expect(try await station.outcome(cookie).identity != nil)
    // Nor is a logout token one.
    let logout = try self.token(station)
    station.provider.change {
      $0.tokens = { _ throws(ProviderFault) in .success(#"{"token_type":"Bearer","id_token":"\#(logout.text)"}"#) }
    }
    guard case .refused(let problem) = try await station.signIn() else { return #expect(Bool(false), "signed in by a logout token") }
    #expect(problem.detail.contains("typ"))
  }
}

/// Where a provider says that its endpoints are.
@Suite struct ProviderMetadataTests {
  private static let issuer = "https://idp.example.org"

  private func metadata(_ members: [String: JSONValue?] = [:]) throws -> ProviderMetadata {
    var all: [String: JSONValue] = [
      "issuer": .string(Self.issuer), "authorization_endpoint": .string("\(Self.issuer)/auth"),
      "token_endpoint": .string("\(Self.issuer)/token"),
    ]
    for (name, value) in members { all[name] = value }
    return try ProviderMetadata(.object(all), issuer: Self.issuer) { $0.hasPrefix("https://") }
  }

  @Test func whatIsThereIsRead() throws {
    let plain = try self.metadata()
    #expect(plain.authorizationEndpoint == "\(Self.issuer)/auth" && plain.endSessionEndpoint == nil && !plain.namesItself)
    let full = try self.metadata([
      "end_session_endpoint": .string("https://other.example.org/end"), "authorization_response_iss_parameter_supported": .bool(true),
    ])
    #expect(full.endSessionEndpoint == "https://other.example.org/end" && full.namesItself)
  }

  @Test func aHostileDocumentIsNone() {
    for members: [String: JSONValue?] in [
      ["issuer": .string("https://idp.example.org/")], ["issuer": nil], ["authorization_endpoint": nil],
      ["token_endpoint": nil], ["authorization_endpoint": .string("javascript:alert(1)")],
      ["authorization_endpoint": .string("http://idp.example.org/auth")], ["token_endpoint": .integer(1)],
      ["end_session_endpoint": .string("//evil")], ["userinfo_endpoint": .string("")],
      ["authorization_endpoint": .string("https://idp.example.org/auth#x")],
    ] {
      #expect(throws: ProviderFault.self, "\(members)") { try self.metadata(members) }
    }
  }

  @Test func whatIsMissingIsSaid() async throws {
    let station = try ProviderStation { $0.groupsFrom = .userinfo }
    let missing = try self.metadata().missing(for: station.settings)
    for word in ["S256", "userinfo_endpoint", "end_session_endpoint", "none"] {
      #expect(missing.contains { $0.contains(word) }, "\(word)")
    }
    station.provider.change { $0.metadata["token_endpoint_auth_methods_supported"] = .array([.string("none")]) }
    let findings = await station.authenticator.probe()
    #expect(findings.map(\.isGood) == [true, true], "\(findings)")
    station.provider.change { $0.metadata["code_challenge_methods_supported"] = .array([.string("plain")]) }
    #expect(await station.authenticator.probe().first?.detail.contains("S256") == true)
    station.provider.change { $0.metadata["token_endpoint"] = nil }
    #expect(await station.authenticator.probe().first?.detail.contains("token_endpoint") == true)
  }
}
