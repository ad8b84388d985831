import NIOCore
import SallyportWire
import Testing

/// Which spellings are noted, and which upstream refuses them.
@Suite struct RequestOddityTests {
  @Test(
    arguments: [
      ("/", []),
      ("/api/v1/pods/", []),
      ("/api/v1/pods//", []),
      ("/%61pi", []),
      ("/.well-known/x", []),
      ("/a/...", []),
      ("/a/.../b", []),
      ("/a.b/c..", []),
      ("/a;b", []),
      ("/ä", []),
      ("/%F0%9F%9A%AA", []),
      ("/a%20b", []),
      ("/a?b=..//\\%00%ff", []),
      ("/a%23b", []),
      ("/a%2Fb", .encodedSlash),
      ("/a%2fb", .encodedSlash),
      ("/a%2F", .encodedSlash),
      ("/a%2F/", .encodedSlash),
      ("/a%2Eb", .encodedDot),
      ("/.", .dotSegment),
      ("/..", .dotSegment),
      ("/a/./b", .dotSegment),
      ("/a/../", .dotSegment),
      ("/a/..;x=1/b", .dotSegment),
      ("/a/%2e", [.dotSegment, .encodedDot]),
      ("/a/.%2E/b", [.dotSegment, .encodedDot]),
      ("/a/..%2fb", [.dotSegment, .encodedSlash]),
      ("/a%2f..", [.dotSegment, .encodedSlash]),
      ("/a//b", .emptySegment),
      ("/a///b", .emptySegment),
      ("/a%2F/b", [.emptySegment, .encodedSlash]),
      ("/a/%2Fb", [.emptySegment, .encodedSlash]),
      ("//", .doubleLeadingSlash),
      ("//a", .doubleLeadingSlash),
      ("/%2Fa", [.doubleLeadingSlash, .encodedSlash]),
      ("/%2F", [.doubleLeadingSlash, .encodedSlash]),
      ("//a//b", [.doubleLeadingSlash, .emptySegment]),
      ("/a\\b", .backslash),
      ("/a%5Cb", .backslash),
      ("/a%00", .controlCharacter),
      ("/a%0a", .controlCharacter),
      ("/a%7f", .controlCharacter),
      ("/a%C2%85", .controlCharacter),
      ("/a%ff", .invalidUTF8),
      ("/a%c0%ae", .invalidUTF8),
      ("/a%e2%82", .invalidUTF8),
      ("/a%ed%a0%80", .invalidUTF8),
      ("/a#b", .fragment),
      ("/a?#b", .fragment),
      ("/a?b#c", .fragment),
      ("https://h/a#b", .fragment),
    ] as [(String, TargetOddities)])
  func anOddSpellingIsNoted(_ text: String, _ oddities: TargetOddities) throws {
    #expect(try RequestTarget(text).oddities == oddities)
  }

  @Test func rawBytesThatAreNoUTF8AreNoted() throws {
    let target = try RequestTarget(reading: ByteBuffer(bytes: [0x2F, 0xC1, 0xB3]), for: .get)
    #expect(target.oddities == .invalidUTF8)
    #expect(target.forwarded == ByteBuffer(bytes: [0x2F, 0xC1, 0xB3]))
  }

  /// Go reads none of a query's parameters beyond this count, which would make a list of what we call a watch.
  @Test func moreParametersThanTheServerReadsAreNoted() throws {
    let most = "/api/v1/secrets?watch=1" + String(repeating: "&", count: 9_999)
    #expect(try RequestTarget(most).oddities == [])
    #expect(try RequestTarget(most + "&").oddities == .tooManyParameters)
    #expect(try RequestTarget(most + "&").ambiguity(for: .kubernetes) != nil)
  }

  @Test(
    arguments: [
      "/", "/api/v1/pods/", "/api/v1/pods//", "/api/v1/namespaces/dev/secrets%2Fs1", "/api%2Fv1%2Fsecrets", "/api/v1/secrets%2F",
      "/%61pi/%76%31/%73ecrets", "/api/v1/namespaces/dev/configmaps/a%2Eb", "/api/v1/namespaces//secrets",
      "/api/v1/namespaces//secrets/", "/api/v1/namespaces%2F%2Fsecrets", "/api/v1/namespaces/%2Fsecrets", "/api/v1/namespaces%2F/secrets",
      "/api/v1/watch/namespaces//secrets", "/apis/apps/v1/namespaces//deployments", "/apis/apps/v1/watch/namespaces//deployments",
      "https://evil.example/api/v1/secrets", "https:/api/v1/secrets", "/api/v1/namespaces/dev/secrets/ä",
      "/api/v1/namespaces/dev/pods/a%20b",
      "/api/v1/namespaces/dev/services/https:web:443/proxy//a//b", "/api/v1/namespaces/dev/pods/p/proxy/a%2F%2Fb",
      "/api/v1/nodes/n/proxy//",
      "/api/v1/namespaces/dev/services/web/proxy/a//", "/api/v1/watch/namespaces//pods/p/proxy/a//b",
    ])
  func whatTheAPIServerServesIsUnderstoodThere(_ text: String) throws {
    #expect(try RequestTarget(text).ambiguity(for: .kubernetes) == nil)
  }

  @Test(
    arguments: [
      "/api/v1/namespaces/dev/../x", "/api/v1/%2e%2e/x", "/api/v1/namespaces/dev/pods/a\\b", "/api/v1/pods/a%5cb", "/api/v1/pods/a%00",
      "/api/v1/pods/%ff", "/api/v1/pods#x", "/healthz#/api/v1/secrets", "/api/v1/pods?#x", "//api/v1/pods", "/%2Fapi/v1/pods", "//",
      "/api//v1/pods", "/api/v1//pods", "/api/v1/namespaces/dev//secrets", "/api/v1/namespaces/dev/secrets//s1",
      "/apis//v1/namespaces/dev/x",
      "/api/v1//watch/secrets", "/api/v1/watch//secrets", "/api/v1/namespaces///secrets", "/api/v1/namespaces//secrets//s1",
      "/api/v1/namespaces//status", "/apis/namespaces//x", "/api/namespaces//x", "/apis/apps/v1//namespaces//x", "/namespaces//secrets",
      "/x/y/namespaces//secrets", "/openapi//v2", "/api/v1/namespaces/dev/services//proxy/a", "/api/v1/namespaces/dev/services/s//proxy/a",
      "/api/v1/namespaces/dev//services/s/proxy/a", "/api/v1/namespaces/dev/services/s/proxy/../a",
      "/api/v1/namespaces/dev/services/s/proxy/%2e%2e/a", "/api/v1/namespaces/dev/services/s/proxy/a//../b",
      "/api/v1/namespaces/dev/pods/p/exec//x", "/api/v1/proxy/namespaces/dev/services/s//proxy//x",
    ])
  func whatTheAPIServerDoesNotServeIsRefusedThere(_ text: String) throws {
    #expect(try RequestTarget(text).ambiguity(for: .kubernetes)?.status == 400)
  }

  @Test(
    arguments: [
      "/a%2Fb", "/a%2eb", "/a/../b", "/a//b", "/a\\b", "/a%5Cb", "/a%0d%0a", "/a%ff", "/a#b", "//a", "/a/..;/b",
      "/api/v1/namespaces//secrets",
      "/api/v1/nodes/n/proxy//a",
    ])
  func aGenericUpstreamGetsNoAmbiguousSpelling(_ text: String) throws {
    #expect(try RequestTarget(text).ambiguity(for: .generic)?.status == 400)
  }

  @Test(arguments: ["/", "/a/", "/a//", "/a%20b", "/%61", "/.well-known/x", "/a;b=c", "/a?b=../c", "/ä", "https://h/a", "/a%23b"])
  func aGenericUpstreamGetsPlainSpellings(_ text: String) throws {
    #expect(try RequestTarget(text).ambiguity(for: .generic) == nil)
  }

  @Test func everyRefusalSaysWhatToSendInstead() throws {
    let odd = ["/a#", "/..", "/\\", "/%00", "/%ff", "//a", "/a//b", "/a%2Fb", "/a%2Eb"]
    let reasons = try odd.map { try #require(try RequestTarget($0).ambiguity(for: .generic)).reason }
    #expect(Set(reasons).count == odd.count)
    for reason in reasons { #expect(reason.contains(/[;,] (leave|send|separate|so leave|encode|begin|write)/), "\(reason)") }
  }
}
