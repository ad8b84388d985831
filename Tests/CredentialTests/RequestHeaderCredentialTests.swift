import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportCredential
import SallyportWire
import Testing

/// What a request-header credential writes, line by line, and what it refuses to write.
@Suite struct RequestHeaderCredentialTests {
  static let credential = RequestHeaderCredential(certificateFingerprint: "ab12")

  static func identity(
    _ username: String = "alice", uid: String? = nil, groups: [String] = [], extra: [Identity.Extra] = []
  ) -> Subject {
    .identity(Identity(username: username, uid: uid, groups: groups, extra: extra, method: .passwordFile))
  }

  static func lines(_ subject: Subject, _ impersonation: RequestedImpersonation? = nil) throws -> String {
    String(buffer: try self.credential.credential(for: subject, impersonating: impersonation).fieldLines)
  }

  @Test func everyPartOfAnIdentityIsALineOfItsOwn() throws {
    let subject = Self.identity(
      uid: "42", groups: ["a,b", "system:masters", "c d"],
      extra: [
        .init(key: "scopes", values: ["view", "edit", ""]), .init(key: "example.com/Key", values: ["1"]), .init(key: "x", values: []),
      ])
    #expect(
      try Self.lines(subject) == """
        X-Remote-User: alice\r
        X-Remote-Uid: 42\r
        X-Remote-Group: a,b\r
        X-Remote-Group: system:masters\r
        X-Remote-Group: c d\r
        X-Remote-Extra-scopes: view\r
        X-Remote-Extra-scopes: edit\r
        X-Remote-Extra-scopes: \r
        X-Remote-Extra-example.com%2f%4bey: 1\r

        """)
  }

  @Test func aConnectionRemembersTheLinesOfOneIdentityAndOfNoOther() throws {
    let memory = ConnectionMemory()
    let alice = Self.identity(groups: ["dev"])
    let first = try Self.credential.credential(for: alice, impersonating: nil, memory: memory)
    #expect(try Self.credential.credential(for: alice, impersonating: nil, memory: memory) === first)
    // An identity of the same name is another object, and may have other groups.
    let promoted = try Self.credential.credential(for: Self.identity(groups: ["ops"]), impersonating: nil, memory: memory)
    #expect(String(buffer: promoted.fieldLines) == "X-Remote-User: alice\r\nX-Remote-Group: ops\r\n")
    // Another certificate is another credential, and an impersonation is the request's own.
    let elsewhere = RequestHeaderCredential(certificateFingerprint: "cd34")
    _ = try Self.credential.credential(for: alice, impersonating: nil, memory: memory)
    #expect(try elsewhere.credential(for: alice, impersonating: nil, memory: memory).connection.certificateFingerprint == "cd34")
    let asking = RequestedImpersonation(user: "bob")
    let impersonating = try Self.credential.credential(for: alice, impersonating: asking, memory: memory)
    #expect(String(buffer: impersonating.fieldLines).contains("Impersonate-User: bob"))
    #expect(!String(buffer: try Self.credential.credential(for: alice, impersonating: nil, memory: memory).fieldLines).contains("bob"))
  }

  @Test func anImpersonationStandsBehindTheIdentity() throws {
    let impersonation = RequestedImpersonation(
      user: "bob", uid: "7", groups: ["dev", "ops"], extra: [.init(key: "a/b", values: ["1", "2"])])
    #expect(
      try Self.lines(Self.identity(groups: ["admins"]), impersonation) == """
        X-Remote-User: alice\r
        X-Remote-Group: admins\r
        Impersonate-User: bob\r
        Impersonate-Uid: 7\r
        Impersonate-Group: dev\r
        Impersonate-Group: ops\r
        Impersonate-Extra-a%2fb: 1\r
        Impersonate-Extra-a%2fb: 2\r

        """)
  }

  @Test func theCredentialTravelsOnItsOwnConnectionsAlone() throws {
    let credential = try Self.credential.credential(for: Self.identity(), impersonating: nil)
    #expect(credential.connection == .init(certificateFingerprint: "ab12"))
    #expect(credential.kind == "requestHeaders")
  }

  @Test func nobodyIsToldOfAsNobody() throws {
    let credential = try Self.credential.credential(for: .anonymous, impersonating: nil)
    #expect(credential.fieldLines.readableBytes == 0)
    #expect(credential.connection == .none)
    #expect(credential.kind == "none")
    Self.expectProblem("impersonationNotPossible", 400) {
      try Self.credential.credential(for: .anonymous, impersonating: RequestedImpersonation(user: "bob"))
    }
  }

  @Test func withoutACredentialNobodyIsToldOf() throws {
    let source = NoCredential()
    let credential = try source.credential(for: Self.identity(), impersonating: nil)
    #expect(credential.fieldLines.readableBytes == 0)
    #expect(credential.connection == .none)
    #expect(credential.kind == "none")
    Self.expectProblem("impersonationNotPossible", 400) {
      try source.credential(for: Self.identity(), impersonating: RequestedImpersonation(user: "bob"))
    }
  }

  @Test func aSourceAsksItsOwnKind() throws {
    guard case .identity(let identity) = Self.identity() else { return }
    let credential = try CredentialSource.requestHeaders(Self.credential).ownCredential(of: identity)
    #expect(String(buffer: credential.fieldLines) == "X-Remote-User: alice\r\n")
  }

  @Test func unicodeIsWrittenAsItIs() throws {
    #expect(try Self.lines(Self.identity("Jörg 🚪 50%")) == "X-Remote-User: Jörg 🚪 50%\r\n")
  }

  static let unwritable = [
    "a\nb", "a\rb", "a\r\nX-Remote-Group: system:masters", "\n", "a\u{0}", "\u{1B}[1m", "a\tb", "a\u{7F}", " a", "a ", " ", "\ta",
    "a\r\n", "\r\nb", "e\r\n\u{301}",
  ]

  @Test(arguments: Self.unwritable)
  func whatWouldNotArriveAsItWasIsNeverWritten(_ value: String) {
    let subjects = [
      Self.identity(value), Self.identity(uid: value), Self.identity(groups: ["ok", value]),
      Self.identity(extra: [.init(key: "k", values: ["ok", value])]),
    ]
    for subject in subjects {
      Self.expectProblem("identityNotWritable", 403) { try Self.credential.credential(for: subject, impersonating: nil) }
    }
    let impersonations = [
      RequestedImpersonation(user: value), RequestedImpersonation(user: "bob", uid: value),
      RequestedImpersonation(user: "bob", groups: [value]),
      RequestedImpersonation(user: "bob", extra: [.init(key: "k", values: [value])]),
    ]
    for impersonation in impersonations {
      Self.expectProblem("impersonationNotWritable", 400) {
        try Self.credential.credential(for: Self.identity(), impersonating: impersonation)
      }
    }
  }

  @Test func anEmptyNameIsNoName() {
    for subject in [
      Self.identity(""), Self.identity(uid: ""), Self.identity(groups: [""]), Self.identity(extra: [.init(key: "", values: ["v"])]),
    ] {
      Self.expectProblem("identityNotWritable", 403) { try Self.credential.credential(for: subject, impersonating: nil) }
    }
    Self.expectProblem("impersonationNotWritable", 400) {
      try Self.credential.credential(for: Self.identity(), impersonating: RequestedImpersonation(user: ""))
    }
  }

  @Test func aProblemDoesNotRepeatTheValue() {
    do {
      _ = try Self.credential.credential(for: Self.identity(groups: ["secret-group\n"]), impersonating: nil)
      Issue.record("the group was written")
    } catch {
      #expect(error.detail == "control character or outer blank in a value for X-Remote-Group")
    }
  }

  static func expectProblem(
    _ code: String, _ status: Int, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> UpstreamCredential
  ) {
    do {
      let credential = try body()
      Issue.record("written: \(String(buffer: credential.fieldLines))", sourceLocation: sourceLocation)
    } catch let problem as Problem {
      #expect(problem.code == code && problem.status == status, sourceLocation: sourceLocation)
    } catch {
      Issue.record(error, sourceLocation: sourceLocation)
    }
  }
}
