import Foundation
import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

/// Nobody but the gateway tells the upstream who asks. Golden heads: what arrives is compared whole.
@Suite(.serialized, .timeLimit(.minutes(5))) struct IdentityFieldsTests {
  static let names = [
    "X-Remote-User", "X-Remote-Uid", "X-Remote-Group", "X-Remote-Extra-Scopes", "X-Remote-Extra-Acme.com%2fproject", "X-Remote-Anything",
    "X-Forwarded-For", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Access-Token", "X-Forwarded-Host",
    "X-Forwarded-Proto", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Client-Cert", "Forwarded", "X-Real-Ip",
    "Proxy-Authorization",
    "Audit-ID",
  ]

  struct Spelling: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Field lines for a name, each with its line end.
    let lines: @Sendable (String) -> String
  }

  static let spellings: [Spelling] = [
    Spelling(testDescription: "as it is") { "\($0): admin\r\n" },
    Spelling(testDescription: "lower case") { "\($0.lowercased()): admin\r\n" },
    Spelling(testDescription: "upper case") { "\($0.uppercased()): admin\r\n" },
    Spelling(testDescription: "underscores (CVE-2025-64484)") { "\(underscored($0)): admin\r\n" },
    Spelling(testDescription: "one underscore") { name in
      let first = name.firstIndex(of: "-").map { name[..<$0] + "_" + name[name.index(after: $0)...] }
      return "\(first ?? name[...]): admin\r\n"
    },
    Spelling(testDescription: "dots") { "\($0.replacing("-", with: ".")): admin\r\n" },
    Spelling(testDescription: "underscores in upper case") { "\(underscored($0).uppercased()): admin\r\n" },
    Spelling(testDescription: "twice (CVE-2021-39206)") { "\($0): admin\r\n\($0): admin\r\n" },
    Spelling(testDescription: "twice, in two spellings") { "\($0): admin\r\n\(underscored($0).lowercased()): admin\r\n" },
    Spelling(testDescription: "with blanks around the value") { "\($0):  admin \t \r\n" },
    Spelling(testDescription: "empty") { "\($0):\r\n" },
    Spelling(testDescription: "beyond ASCII") { "\($0): admin\u{FF}\r\n" },
  ]

  private static func underscored(_ name: String) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }

  /// CVE-2025-64484 and its kin: for each identity header and spelling, what the client says never reaches the upstream.
  @Test(arguments: spellings) func whatAClientSaysOfItselfNeverArrives(_ spelling: Spelling) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let forged = Self.names.map(spelling.lines).joined()
      let answer = try await house.ask(
        "GET /version HTTP/1.1\r\nHost: localhost\r\nX-Kept: 1\r\n\(forged)\r\n", as: house.certificate("alice", "view", "dev,ops"))
      #expect(answer.status == 200)
      let id = try #require(answer.auditID)
      #expect(
        try house.theRequestUpstream().fieldLines == [
          "X-Kept: 1", upstream.hostLine, "X-Forwarded-For: 127.0.0.1", "X-Remote-User: alice", "X-Remote-Group: view",
          "X-Remote-Group: dev,ops", "Audit-ID: \(id)",
        ])
      #expect(!upstream.received.contains("admin"))
    }
  }

  /// The same where nobody is signed in: an early exit strips too (mod_auth_openidc #222).
  @Test(arguments: spellings) func nothingOfItArrivesOnAnOpenPathEither(_ spelling: Spelling) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let forged = Self.names.filter { $0 != "Proxy-Authorization" }.map(spelling.lines).joined()
      let answer = try await house.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\(forged)\r\n")
      #expect(answer.status == 200)
      #expect(
        try house.theRequestUpstream().fieldLines == [upstream.hostLine, "X-Forwarded-For: 127.0.0.1", "Audit-ID: \(answer.auditID ?? "")"])
      #expect(try house.closingRecord(of: answer).user.username == "system:anonymous")
      // And whoever is refused is refused: no header signs anybody in.
      #expect(try await house.ask("GET /version HTTP/1.1\r\nHost: localhost\r\n\(forged)\r\n").status == 401)
      #expect(upstream.requests.count == 1)
    }
  }

  /// Spellings that are refused, each with 400: a fold, NUL, and blanks where none belong.
  @Test(arguments: names, [": ad\r\n min", ": ad\u{0}min", "\u{0}: admin", " : admin", "\t: admin", ": admin\rX: 1"])
  func aBrokenSpellingIsRefused(_ name: String, _ rest: String) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let answer = try await house.ask("GET /version HTTP/1.1\r\nHost: localhost\r\n\(name)\(rest)\r\n\r\n", as: house.certificate("alice"))
      #expect(answer.status == 400)
      #expect(upstream.connections == 0)
    }
  }

  /// CVE-2021-31999, CVE-2021-32813, CVE-2024-45410, golang/go#50580: `Connection` must not make the gateway drop what it
  /// says of the sender. A field that some station reads is not to be named at all.
  @Test(
    arguments: [
      "X-Remote-User", "x-remote-user", "X_Remote_User", "X-Remote-Group", "X-Remote-Extra-Scopes", "Impersonate-User", "Impersonate-Group",
      "Audit-ID", "Authorization", "Host", "Content-Length", "Origin", "Cookie", "Accept", "X-Forwarded-For",
    ],
    [
      "Connection: NAME", "connection: NAME", "Connection: close, NAME", "Connection:NAME , close", "Connection: \t NAME\t,",
      "Connection: close\r\nConnection: NAME", "Connection: ,,NAME,,", "Connection: NAME, NAME, NAME",
    ])
  func connectionTakesNoFieldAlongThatSomebodyReads(_ name: String, _ line: String) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let fields = line.replacingOccurrences(of: "NAME", with: name)
      let answer = try await house.ask(
        "GET /version HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n\r\n", as: house.certificate("alice", "view"))
      #expect(answer.status == 400)
      #expect(answer.kubernetesStatus?.message.contains("Connection") == true)
      #expect(upstream.connections == 0)
    }
  }

  /// Other fields that could be taken for `Connection`, and fields of nobody's that it names.
  @Test func hopByHopFieldsGoAndTheIdentityStays() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let lines = [
        "Connection: X-Hop, X_Other_Hop, keep-alive", "X-Hop: 1", "X-Other-Hop: 2", "Proxy-Connection: X-Remote-User",
        "TE: X-Remote-User, trailers",
        "Keep-Alive: X-Remote-Group", "Trailer: X-Remote-User", "Upgrade: X-Remote-User", "X-Kept: 3",
      ]
      let answer = try await house.ask(
        "GET /version HTTP/1.1\r\nHost: localhost\r\n\(lines.map { $0 + "\r\n" }.joined())\r\n", as: house.certificate("alice", "view"))
      #expect(answer.status == 200)
      #expect(
        try house.theRequestUpstream().fieldLines == [
          "X-Kept: 3", upstream.hostLine, "X-Forwarded-For: 127.0.0.1", "X-Remote-User: alice", "X-Remote-Group: view",
          "Audit-ID: \(answer.auditID ?? "")",
        ])
    }
  }

  /// What a client sends as `Audit-ID` is a remark in the record; the ID that joins the logs is the gateway's own.
  @Test func theAuditIDIsTheGatewaysOwnEverywhere() async throws {
    try await House.with { house in
      let answer = try await house.get("/api/v1/namespaces/dev/pods", as: house.certificate("alice", "view"), "Audit-ID: forged-1")
      let record = try house.closingRecord(of: answer)
      #expect(record.fact("client-audit-id") == "forged-1")
      #expect(house.cluster?.recordedRequests().map(\.auditID) == [record.auditID])
    }
  }

  /// CVE-2025-14269 of Headlamp: two users in turn over one kept connection, on both sides of the gateway.
  @Test func twoUsersInTurnOverOneConnectionAreEachThemselves() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let client = try await house.connect()
      // Twice each: from the second on the connection itself remembers who that was.
      let people = [Person.bob, .bob, .vera, .vera, .bob, .bob]
      for person in people {
        try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\(person.basic)\r\n\r\n")
        let answer = try await house.answer(from: client)
        #expect(answer.status == 200)
        #expect(try house.closingRecord(of: answer).user.username == person.name)
      }
      try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(try await house.answer(from: client).status == 401, "whoever says nothing is not who came before")
      #expect(upstream.connections == 1)
      #expect(upstream.requests.map { $0.values("X-Remote-User") } == people.map { [$0.name] })
      #expect(
        upstream.requests.map { $0.values("X-Remote-Group") }
          == [["edit"], ["edit"], ["view", "watchers"], ["view", "watchers"], ["edit"], ["edit"]])
      #expect(upstream.requests.allSatisfy { $0.values("Authorization").isEmpty })
      #expect(!upstream.received.contains("Basic"))
    }
  }

  // MARK: Impersonation

  /// `kubectl --as` goes upstream as the gateway writes it: behind the identity, in one spelling, in one place.
  @Test func anImpersonationIsForwardedTyped() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let answer = try await house.get(
        "/version", as: house.certificate("carol", "admin"), "impersonate-extra-Acme.com%2Fproject: one", "IMPERSONATE-USER: jane",
        "Impersonate-Group: a", "X-Kept: 1", "impersonate-group: b,c", "Impersonate-Uid: 17")
      #expect(answer.status == 200)
      #expect(
        try house.theRequestUpstream().fieldLines == [
          "X-Kept: 1", upstream.hostLine, "X-Forwarded-For: 127.0.0.1", "X-Remote-User: carol", "X-Remote-Group: admin",
          "Impersonate-User: jane", "Impersonate-Uid: 17",
          "Impersonate-Group: a", "Impersonate-Group: b,c", "Impersonate-Extra-acme.com%2fproject: one",
          "Audit-ID: \(answer.auditID ?? "")",
        ])
      let record = try house.closingRecord(of: answer)
      #expect(record.user.username == "carol")
      #expect(record.impersonatedUser?.username == "jane")
      #expect(record.impersonatedUser?.groups == ["a", "b,c"])
    }
  }

  @Test(arguments: [
    "Impersonate-Group: system:masters", "Impersonate-Uid: 1", "Impersonate-Extra-Scopes: all", "Impersonate-Everything: yes",
    "Impersonate_User: jane", "Impersonate-User:", "Impersonate-User: jane\r\nImpersonate-User: john",
    "Impersonate-User: jane\r\nimpersonate-user: jane",
    "Impersonate-User: jane\r\nImpersonate_Group: system:masters", "Impersonate-User: \u{FF}",
  ])
  func anImpersonationThatCanBeReadInTwoWaysIsRefused(_ fields: String) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      // The character U+00FF stands for a byte that is no UTF-8.
      var bytes = ByteBuffer(string: "GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
      bytes.writeBytes(fields.unicodeScalars.map { UInt8($0.value) })
      bytes.writeString("\r\n\r\n")
      let text = try await house.askToEnd(bytes, as: house.certificate("carol", "admin"))
      #expect(text.hasPrefix("HTTP/1.1 400 "), "\(text)")
      #expect(upstream.connections == 0)
      #expect(try house.theRecord().responseStatus?.code == 400)
    }
  }

  /// Where a route refuses it, nobody acts as somebody else, whatever the API server would say.
  @Test func aRouteCanRefuseImpersonation() async throws {
    var plan = House.Plan()
    plan.route += ["impersonation: refuse"]
    try await House.with(plan) { house in
      let carol = try house.certificate("carol", "admin", "impersonator")
      let refused = try await house.get("/api/v1/namespaces/dev/pods", as: carol, "Impersonate-User: alice", "Impersonate-Group: view")
      #expect(refused.status == 403)
      #expect(refused.kubernetesStatus?.reason == "Forbidden")
      let record = try house.closingRecord(of: refused)
      #expect(record.fact("decision") == "deny")
      #expect(record.impersonatedUser?.username == "alice")
      #expect(try await house.get("/api/v1/namespaces/dev/pods", as: carol).status == 200)
      #expect(house.cluster?.recordedRequests().count == 1)
    }
  }

  /// The API server judges it by the rights of whoever asks: the gateway gives it none of its own.
  @Test func impersonationIsJudgedByTheRightsOfWhoAsks() async throws {
    try await House.with { house in
      let pods = "/api/v1/namespaces/dev/pods"
      let asAlice = ["Impersonate-User: alice", "Impersonate-Group: view"]
      let carol = try await house.get(pods, as: house.certificate("carol", "admin", "impersonator"), asAlice[0], asAlice[1])
      #expect(carol.status == 200)
      let bob = try await house.get(pods, as: house.certificate("ed", "edit"), "Impersonate-User: carol", "Impersonate-Group: admin")
      #expect(bob.status == 403)
      let masters = try await house.get(
        "/api/v1/secrets", as: house.certificate("ed", "view"), "Impersonate-User: root", "Impersonate-Group: system:masters")
      #expect(masters.status == 403)
    }
  }
}
