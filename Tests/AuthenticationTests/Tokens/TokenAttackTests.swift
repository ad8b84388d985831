import Crypto
import Foundation
import NIOCore
import SallyportCore
import SallyportJOSE
import TestSupport
import Testing

@testable import SallyportAuthentication

/// RFC 8725's list of attacks, and others that verifiers have fallen for, one by one. Nothing here may sign anybody in.
@Suite struct TokenAttackTests {
  private func expectRefused(_ token: String, at station: TokenStation, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let problem = try await station.outcome(token).problem
    #expect(problem == AuthenticationProblem.tokenRefused, sourceLocation: sourceLocation)
    // Whoever tries learns nothing of what was wrong, and no log gets a part of the token.
    #expect(problem?.message == AuthenticationProblem.tokenRefused.message, sourceLocation: sourceLocation)
    let parts = token.split(separator: ".").filter { $0.count > 8 }
    #expect(!parts.contains { problem?.detail.contains($0) == true }, sourceLocation: sourceLocation)
  }

  private func encoded(_ text: String) -> String { Base64URL.encode(text.utf8) }

  // MARK: Algorithms (RFC 8725 sections 2.1 and 3.1)

  @Test(arguments: ["none", "None", "NONE", "nOnE", "", "RS256 ", "rs256", "HS256", "HS384", "HS512", "ES256K", "RSA1_5", "dir"])
  func aTokenDoesNotChooseToBeUnverified(_ algorithm: String) async throws {
    let station = try TokenStation()
    let header = encoded(#"{"alg":"\#(algorithm)","typ":"JWT","kid":"key-1"}"#)
    let good = try station.mint.token(station.key).split(separator: ".").map(String.init)
    for signature in ["", good[2], "AA"] {
      try await self.expectRefused("\(header).\(good[1]).\(signature)", at: station)
    }
  }

  /// The public key, in every form that a verifier may hold it in, taken for the secret of an HMAC.
  @Test func aPublicKeyIsNoSecret() async throws {
    let key = try TokenMint.Key(.rs256)
    let station = try TokenStation(key: key)
    let entry = try key.entry()
    for secret in [key.publicPEM, key.publicPEM + "\n", entry, TokenMint.keySet([entry]), ""] {
      for (name, mac) in [
        (
          "HS256", { (bytes: [UInt8]) in Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: Array(secret.utf8)))) }
        ),
        (
          "HS512", { (bytes: [UInt8]) in Array(HMAC<SHA512>.authenticationCode(for: bytes, using: SymmetricKey(data: Array(secret.utf8)))) }
        ),
      ] {
        // With claims that a good token has: nothing but the signature is wrong.
        let payload = try station.mint.token(key).split(separator: ".")[1]
        let input = encoded(#"{"alg":"\#(name)","typ":"JWT","kid":"key-1"}"#) + "." + payload
        try await self.expectRefused("\(input).\(Base64URL.encode(mac(Array(input.utf8))))", at: station)
      }
    }
    #expect(try await station.outcome(station.mint.token(key)).identity != nil)
  }

  @Test func aKeyVerifiesOnlyByItsOwnAlgorithm() async throws {
    let key = try TokenMint.Key(.rs256)
    let declared = try KeySet(text: TokenMint.keySet([key.entry(["alg": #""PS256""#])]))
    let station = try TokenStation(key: key, keys: ScriptedKeys(.success(declared)))
    try await self.expectRefused(station.mint.token(key), at: station)
    try await self.expectRefused(station.mint.token(key, header: ["alg": #""PS256""#]), at: station)
    try await self.expectRefused(station.mint.token(key, header: ["alg": #""ES256""#]), at: station)
    try await self.expectRefused(station.mint.token(TokenMint.Key(.es384)), at: station)
  }

  // MARK: Keys (sections 2.3 to 2.6, 3.10)

  @Test func aTokenDoesNotBringItsKey() async throws {
    let station = try TokenStation()
    let own = try TokenMint.Key(.es256)
    for header in [
      ["jwk": try own.entry()], ["jku": #""https://evil.example.org/keys""#], ["x5u": #""https://evil.example.org/cert""#],
      ["x5c": #"["MIIB"]"#], ["x5t": #""abc""#], ["jwk": try own.entry(), "kid": ""],
    ] {
      try await self.expectRefused(station.mint.token(own, header: header), at: station)
    }
    #expect(station.keys.count <= 2)
    // The fields are ignored and not forbidden: honest libraries write some of them.
    #expect(try await station.outcome(header: ["jku": #""https://evil.example.org/keys""#, "x5t": #""abc""#]).identity != nil)
  }

  @Test(arguments: ["key-2", "KEY-1", "key-1 ", "", "../../dev/null", "key-1' OR '1'='1", "key\\u002d1\\u0000"])
  func anUnknownKeyNameFallsBackToNoKey(_ name: String) async throws {
    let station = try TokenStation()
    try await self.expectRefused(station.mint.token(station.key, header: ["kid": "\"\(name)\""]), at: station)
  }

  @Test func aKeyNameIsText() async throws {
    let station = try TokenStation()
    for name in ["1", "null", "[\"key-1\"]", "{}", "true"] {
      try await self.expectRefused(station.mint.token(station.key, header: ["kid": name]), at: station)
    }
  }

  @Test func twoKeysOfOneNameAreBothTried() async throws {
    let first = try TokenMint.Key(.es256)
    let second = try TokenMint.Key(.es256)
    let station = try TokenStation(key: second, keys: ScriptedKeys(.success(KeySet(of: first, second))))
    #expect(try await station.outcome().identity != nil)
    try await self.expectRefused(station.mint.token(TokenMint.Key(.es256)), at: station)
  }

  /// ECDSA's zeros, which some verifiers took for a signature of anything (CVE-2022-21449).
  @Test(arguments: [SignatureAlgorithm.es256, .es384, .es512, .rs256, .ps256, .edDSA])
  func noSignatureIsGoodForEverything(_ algorithm: SignatureAlgorithm) async throws {
    let key = try TokenMint.Key(algorithm)
    let station = try TokenStation(key: key)
    let good = try station.mint.token(key).split(separator: ".").map(String.init)
    let length = try #require(Base64URL.decode(good[2].utf8)).count
    for bytes in [
      [UInt8](repeating: 0, count: length), [UInt8](repeating: 0xFF, count: length), [UInt8](repeating: 0, count: length - 1) + [1],
      [0], [UInt8](repeating: 0, count: 2 * length),
    ] {
      try await self.expectRefused("\(good[0]).\(good[1]).\(Base64URL.encode(bytes))", at: station)
    }
  }

  @Test func anEllipticSignatureInASN1IsRefused() async throws {
    let station = try TokenStation()
    let input = try station.mint.token(station.key).split(separator: ".").dropLast().joined(separator: ".")
    let signature = try #require(try station.key.asn1Signature(over: Array(input.utf8)))
    try await self.expectRefused("\(input).\(Base64URL.encode(signature))", at: station)
  }

  // MARK: Spellings

  @Test func aTokenHasOneSpelling() async throws {
    let station = try TokenStation()
    let good = try station.mint.token(station.key)
    let parts = good.split(separator: ".").map(String.init)
    let last = try #require(parts[2].last)
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    let neighbour = digits[(try #require(digits.firstIndex(of: last))) ^ 1]
    for other in [
      good + "=", good + "==", good + ".", good + "\n", good + " ", "." + good, good + "." + parts[2], parts[0] + "." + parts[1],
      "\(parts[0]).\(parts[1]).", "\(parts[0])..\(parts[2])", ".\(parts[1]).\(parts[2])", "\(parts[0])=.\(parts[1]).\(parts[2])",
      "\(parts[0]).\(parts[1]).\(parts[2].dropLast())\(neighbour)", good.replacing("-", with: "+").replacing("_", with: "/") + "+",
      "\(parts[0]).\(parts[1]).\(parts[2])\(parts[2])", "\(parts[0]).\(parts[0]).\(parts[2])", "\(parts[1]).\(parts[0]).\(parts[2])",
      "\(good).\(good)", "a.b.c", "..", "e30.e30.e30", "\(parts[0]).\(parts[1]).\(parts[2]).\(parts[2]).\(parts[2])",
    ] {
      try await self.expectRefused(other, at: station)
    }
    #expect(try await station.outcome(good).identity != nil)
  }

  @Test func whatCouldBeReadInTwoWaysIsRefused() async throws {
    let station = try TokenStation()
    let claims = station.mint.claims.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
    let header = #"{"alg":"ES256","kid":"key-1"}"#
    for payload in [
      #"{\#(claims),"sub":"admin"}"#, #"{"sub":"admin",\#(claims)}"#, #"{\#(claims),"\u0073ub":"admin"}"#, #"{\#(claims)}{}"#,
      #"[{\#(claims)}]"#, #"{\#(claims),}"#, #"{\#(claims),"x":"\ud800"}"#, #"{\#(claims),"x":NaN}"#, #"{\#(claims),"x":01}"#,
      #"{\#(claims),"x":\#(String(repeating: "[", count: 40))\#(String(repeating: "]", count: 40))}"#, "null", "", "\"text\"",
      "\u{FEFF}{\(claims)}", #"{\#(claims),"x":{"a":1,"a":2}}"#, "{\(claims),'x':1}",
    ] {
      try await self.expectRefused(station.mint.token(station.key, headerText: header, payloadText: payload), at: station)
    }
    for header in [
      #"{"alg":"ES256","alg":"none","kid":"key-1"}"#, #"{"alg":"none","alg":"ES256","kid":"key-1"}"#,
      #"{"alg":"ES256","kid":"key-1","crit":["exp"]}"#, #"{"alg":"ES256","kid":"key-1","crit":[]}"#,
      #"{"alg":"ES256","kid":"key-1","b64":false,"crit":["b64"]}"#, #"{"alg":"ES256","kid":"key-1","b64":true}"#,
      #"{"kid":"key-1"}"#, #"{"alg":["ES256"],"kid":"key-1"}"#, #"{"alg":null,"kid":"key-1"}"#, "[]",
    ] {
      try await self.expectRefused(station.mint.token(station.key, headerText: header, payloadText: "{\(claims)}"), at: station)
    }
    // The same by the same means, with nothing wrong, is believed: the tests above refuse for their reasons.
    #expect(try await station.outcome(station.mint.token(station.key, headerText: header, payloadText: "{\(claims)}")).identity != nil)
  }

  @Test func whatIsTooLongIsNotRead() async throws {
    let station = try TokenStation()
    try await self.expectRefused(station.mint.token(station.key, ["x": "\"\(String(repeating: "x", count: 60000))\""]), at: station)
  }

  // MARK: Somebody else's tokens (sections 2.7, 2.8, 3.8, 3.9, 3.11)

  @Test(arguments: [
    ["iss": #""https://evil.example.org""#], ["iss": #""https://idp.example.org/""#], ["iss": #""HTTPS://idp.example.org""#],
    ["iss": ""], ["iss": #"["https://idp.example.org"]"#], ["iss": "1"], ["aud": ""], ["aud": #""other""#], ["aud": "[]"],
    ["aud": #"["other"]"#], ["aud": #"[1,"kubernetes"]"#], ["aud": #"{"kubernetes":1}"#], ["aud": #""Kubernetes""#],
    ["aud": #""kubernetes other""#], ["sub": ""], ["sub": "1"], ["sub": #""""#], ["sub": "null"],
    ["aud": #"["kubernetes","other"]"#, "azp": #""other""#, "nonce": #""n""#], ["azp": "1"],
  ]) func aTokenThatIsMeantForOthersIsRefused(_ claims: [String: String]) async throws {
    let station = try TokenStation()
    try await self.expectRefused(station.mint.token(station.key, claims), at: station)
  }

  @Test(arguments: [
    "logout+jwt", "secevent+jwt", "dpop+jwt", "JWE", "token-introspection+jwt", "oauth-authz-req+jwt", "entity-statement+jwt",
  ])
  func aTokenOfAnotherKindIsRefused(_ type: String) async throws {
    let station = try TokenStation()
    try await self.expectRefused(station.mint.token(station.key, header: ["typ": "\"\(type)\""]), at: station)
  }

  /// Each issuer's keys verify its own tokens alone, whatever names the keys have.
  @Test func oneIssuersKeyDoesNotVouchForAnother() async throws {
    let keys = [try TokenMint.Key(.es256), try TokenMint.Key(.es256)]
    let issuers = ["https://one.example.org", "https://two.example.org"]
    let time = TestTime()
    var configuration = AuthenticatorConfiguration()
    configuration.tokens = issuers.map { issuer in
      var rules = TokenStation.rules
      rules.issuer = issuer
      rules.username.prefix = "\(issuer)#"
      return TokenIssuer(rules: rules)
    }
    let sets = [try KeySet(of: keys[0]), try KeySet(of: keys[1])]
    let authenticator = TokenAuthenticator(
      configuration: configuration, memory: AuthenticationMemory(threads: 1), clock: time.clock,
      makeFetcher: { issuer in ScriptedKeys(.success(sets[issuer.rules.issuer == issuers[0] ? 0 : 1])) })
    let eventLoop = try TokenStation().eventLoop
    for (signer, key) in keys.enumerated() {
      for (index, issuer) in issuers.enumerated() {
        let token = try TokenMint(issuer: issuer, now: Int(time.wall.timeIntervalSince1970)).token(key)
        let outcome = try await authenticator.authenticate(Secret("Bearer \(token)"), on: eventLoop).value
        #expect(outcome.identity?.username == (signer == index ? "\(issuer)#alice-1" : nil))
      }
    }
  }

  // MARK: Names

  @Test(arguments: [
    "system:admin", "system:serviceaccount:kube-system:admin", "a\nb", " alice", "alice ", "a\u{0}b", "alice\u{2028}", "",
    String(repeating: "x", count: 300),
  ]) func aTokenDoesNotNameWhoIsNobodys(_ name: String) async throws {
    let station = try TokenStation { rules in
      rules.username.prefix = ""
      rules.groups?.prefix = ""
    }
    let text = String(decoding: try JSONEncoder().encode(name), as: UTF8.self)
    try await self.expectRefused(station.mint.token(station.key, ["sub": text]), at: station)
    try await self.expectRefused(station.mint.token(station.key, ["groups": "[\"dev\",\(text)]"]), at: station)
  }

  @Test func moreGroupsThanAnIdentityHasAreRefused() async throws {
    let station = try TokenStation()
    let groups = (0..<257).map { "\"g\($0)\"" }.joined(separator: ",")
    try await self.expectRefused(station.mint.token(station.key, ["groups": "[\(groups)]"]), at: station)
  }

  // MARK: Noise

  /// Tokens that were changed anywhere: none crashes, and none is believed that is not the original.
  @Test(.timeLimit(.minutes(10))) func mutatedTokensAreNeverBelieved() async throws {
    let rounds = ProcessInfo.processInfo.environment["SALLYPORT_NIGHTLY"] == "1" ? 100_000 : 20_000
    var random = Chance(seed: 0x5A11_1907)
    for algorithm in [SignatureAlgorithm.es256, .rs256] {
      let station = try TokenStation(key: TokenMint.Key(algorithm))
      let good = try station.mint.token(station.key)
      #expect(try await station.outcome(good).identity != nil)
      let original = Array(good.utf8)
      let dots = original.indices.filter { original[$0] == UInt8(ascii: ".") }
      for _ in 0..<(rounds / 2) {
        var bytes = original
        switch random.next() % 6 {
        case 0: bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
        case 2: bytes.remove(at: Int(random.next() % UInt64(bytes.count)))
        case 3: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: Int(random.next() % UInt64(bytes.count + 1)))
        case 4: bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
        default:
          // Other JSON behind valid base64url, which reaches deeper than broken text does.
          let part = random.next() % 2 == 0 ? 0..<dots[0] : (dots[0] + 1)..<dots[1]
          guard var json = Base64URL.decode(bytes[part]) else { continue }
          json[Int(random.next() % UInt64(json.count))] = UInt8(truncatingIfNeeded: random.next())
          bytes.replaceSubrange(part, with: Array(Base64URL.encode(json).utf8))
        }
        guard bytes != original else { continue }
        let answer = station.authenticator.authenticate(Secret(Array("Bearer ".utf8) + bytes), on: station.eventLoop)
        let outcome = try await answer.value
        #expect(outcome.identity == nil, "believed: \(String(decoding: bytes, as: UTF8.self))")
      }
    }
  }
}
