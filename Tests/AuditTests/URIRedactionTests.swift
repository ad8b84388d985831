import NIOCore
import TestSupport
import Testing

@testable import SallyportAudit

@Suite struct URIRedactionTests {
  private static func shown(_ uri: String) throws -> String? {
    try ParsedLine(Samples.record(uri: ByteBuffer(string: uri))).string("requestURI")
  }

  @Test(arguments: [
    ("/x?access_token=abc", "/x?access_token=REDACTED"), ("/x?token=abc", "/x?token=REDACTED"), ("/x?id_token=abc", "/x?id_token=REDACTED"),
    ("/x?refresh_token=abc", "/x?refresh_token=REDACTED"), ("/x?code=abc", "/x?code=REDACTED"),
    ("/x?client_secret=abc", "/x?client_secret=REDACTED"), ("/x?password=abc", "/x?password=REDACTED"),
    ("/x?passwd=a", "/x?passwd=REDACTED"),
    ("/x?api_key=abc", "/x?api_key=REDACTED"), ("/x?X-Amz-Signature=ab", "/x?X-Amz-Signature=REDACTED"), ("/x?sig=ab", "/x?sig=REDACTED"),
    ("/x?SAMLResponse=ab", "/x?SAMLResponse=REDACTED"), ("/x?id_token_hint=ab", "/x?id_token_hint=REDACTED"),
    ("/x?code_verifier=ab", "/x?code_verifier=REDACTED"), ("/x?client_assertion=ab", "/x?client_assertion=REDACTED"),
    // In every spelling of the name.
    ("/x?ACCESS_TOKEN=abc", "/x?ACCESS_TOKEN=REDACTED"), ("/x?accessToken=abc", "/x?accessToken=REDACTED"),
    ("/x?access%5Ftoken=abc", "/x?access%5Ftoken=REDACTED"), ("/x?%74oken=abc", "/x?%74oken=REDACTED"),
    ("/x?%54OKEN=abc", "/x?%54OKEN=REDACTED"),
    ("/x?%2574oken=abc", "/x?%2574oken=REDACTED"), ("/x?%25%37%34oken=abc", "/x?%25%37%34oken=REDACTED"),
    ("/x?c%6fde=abc", "/x?c%6fde=REDACTED"),
    ("/x?+token=abc", "/x?+token=REDACTED"), ("/x?token%00=abc", "/x?token%00=REDACTED"),
    ("/x?oauth[token]=abc", "/x?oauth[token]=REDACTED"),
    // Wherever it stands.
    ("/x?a=1&token=abc&b=2", "/x?a=1&token=REDACTED&b=2"), ("/x?a=1;token=abc", "/x?a=1;token=REDACTED"),
    ("/x?token=ab;c&d=1", "/x?token=REDACTED&d=1"), ("/x?token=ab?c=d&e=1", "/x?token=REDACTED&e=1"),
    ("/x?a?token=abc", "/x?a?token=REDACTED"),
    ("/x#access_token=abc&a=1", "/x#access_token=REDACTED&a=1"), ("/x?a=1#token=abc", "/x?a=1#token=REDACTED"),
    ("/x?&&token=abc", "/x?&&token=REDACTED"),
    ("/x?token=a=b=c", "/x?token=REDACTED"), ("/x?token=abc&token=def", "/x?token=REDACTED&token=REDACTED"),
    ("?token=abc", "?token=REDACTED"),
    ("/x?token=%22%5C", "/x?token=REDACTED"), ("http://host/x?token=abc", "http://host/x?token=REDACTED"),
    // In front of a host.
    ("http://alice:pass@host/x", "http://REDACTED@host/x"), ("https://alice@host:443?a=1", "https://REDACTED@host:443?a=1"),
    ("alice:pass@host:443", "REDACTED@host:443"), ("http://a:b@c@host/x", "http://REDACTED@host/x"),
    ("x:y@host/http://c", "REDACTED@host/http://c"),
  ])
  func aSecretIsReplacedAndNothingElse(_ uri: String, _ expected: String) throws {
    #expect(try Self.shown(uri) == expected)
  }

  @Test(arguments: [
    "/", "/api/v1/namespaces/dev/pods?limit=500&continue=abc&resourceVersion=1", "/x?fieldManager=kubectl-client-side-apply&force=true",
    "/x?labelSelector=app%3Dtoken&fieldSelector=metadata.name%3Dpassword", "/x?token", "/x?token=", "/x?token&a=1", "/x?a=token=1",
    "/x?encode=1",
    "/x?postcode=1", "/x?passport=1", "/x?a=1&=2", "/x?", "/x?=", "/x?&", "/token=abc", "/x/token?a=b", "/a@b/c", "/x?mail=a@b", "/x?%=1",
    "/x?%7=1",
    "http://host/a@b", "http://host/x?a=b@c", "http://@host/x", "*", "host:443", "", "/x?command=sh&command=-c&tty=true", "/x?tok=1",
    "/x?design=1",
  ])
  func whatIsNoSecretStaysAsItIs(_ uri: String) throws {
    #expect(try Self.shown(uri) == uri)
    #expect(uri.withBytes { URIRedaction.redact($0) } == nil)
  }

  @Test func noNameThatIsMadeOfEscapesTakesLongToRead() {
    // Each escape uncovers another: undone in passes, this would take the square of its length.
    let name = "%" + String(repeating: "25", count: 200_000) + "74oken"
    let clock = ContinuousClock()
    var isSecret = false
    let time = clock.measure { isSecret = name.withBytes { URIRedaction.isSecret(name: $0) } }
    #expect(isSecret)
    #expect(time < .seconds(60))
  }

  @Test func aValueThatLooksLikeAPlaceholderOrALineIsGone() throws {
    let line = try ParsedLine(Samples.record(uri: ByteBuffer(string: "/x?token=REDACTED\"}\n{&a=1")))
    #expect(line.string("requestURI") == "/x?token=REDACTED&a=1")
    #expect(line.isOneCleanLine)
  }

  @Test func noSecretIsLeftWhateverStandsAroundIt() throws {
    var generator = Chance(seed: 99)
    let around = ["a=1", "&", ";", "?", "#", "=", "%26", "b", "/", "%", "%7", "\"", "\\", "\u{2028}", "&&", "x=y;z", "@"]
    for round in 0..<3_000 {
      let before = (0..<Int.random(in: 0...5, using: &generator)).map { _ in around.randomElement(using: &generator)! }.joined()
      let name = ["token", "Pass%77ord", "client-secret", "c%6Fde"].randomElement(using: &generator)!
      let uri = "/p?" + before + ["&", ";", "?", "#"].randomElement(using: &generator)! + name + "=5ecret&" + before
      let line = try ParsedLine(Samples.record(uri: ByteBuffer(string: uri)))
      try #require(!line.text.contains("5ecret"), "round \(round): \(uri)")
    }
  }
}
