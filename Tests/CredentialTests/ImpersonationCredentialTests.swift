import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
@_spi(Authenticator) import SallyportCore
import SallyportCredential
import TestSupport
import Testing

/// Acting as a user, and as whom a user may act himself.
@Suite struct ImpersonationCredentialTests {
  private let time = TestTime()
  private let eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
  private let directory = TemporaryDirectory()

  /// Allows what is listed and remembers what it was asked.
  private final class Reviewer: ImpersonationReviewer {
    private let state: NIOLockedValueBox<(allowed: Set<String>, asked: [String])>
    let failure: Problem?

    init(_ allowed: Set<String>, failure: Problem? = nil) {
      self.state = NIOLockedValueBox((allowed, []))
      self.failure = failure
    }

    var asked: [String] { self.state.withLockedValue { $0.asked } }

    func allows(_ demands: [ImpersonationDemand], to identity: Identity) async throws(Problem) -> Bool {
      if let failure { throw failure }
      let names = demands.map { "\($0.group)/\($0.resource)/\($0.subresource)/\($0.namespace)/\($0.name)" }
      return self.state.withLockedValue { state in
        state.asked += names
        // By bytes, as a server compares.
        return names.allSatisfy { name in state.allowed.contains { $0.utf8.elementsEqual(name.utf8) } }
      }
    }
  }

  private func source(_ reviewer: Reviewer? = nil, names: Set<String> = []) throws -> ImpersonationCredential {
    ImpersonationCredential(
      proof: .token(try OwnToken(file: try self.directory.write("own-token\n", to: "token"))), names: ReservedNames(allowed: names),
      reviewer: reviewer, clock: self.time.clock)
  }

  private func lines(
    _ source: ImpersonationCredential, _ identity: Identity, as wanted: RequestedImpersonation? = nil, _ memory: ConnectionMemory? = nil
  ) async throws -> String {
    switch try source.credential(for: .identity(identity), impersonating: wanted, memory: memory, eventLoop: self.eventLoop) {
    case .now(let credential): String(buffer: credential.fieldLines)
    case .later(let future): String(buffer: try await future.get().fieldLines)
    }
  }

  private func code(_ body: () async throws -> Void) async -> String? {
    do {
      try await body()
      return nil
    } catch {
      return (error as? Problem)?.code
    }
  }

  @Test func theGatewayActsAsTheUser() async throws {
    let source = try self.source()
    let alice = Identity(
      username: "alice", uid: "7", groups: ["dev", "ops"], extra: [.init(key: "scopes", values: ["a"])], method: .ldap)
    #expect(
      try await self.lines(source, alice) == """
        Authorization: Bearer own-token\r
        Impersonate-User: alice\r
        Impersonate-Uid: 7\r
        Impersonate-Group: dev\r
        Impersonate-Group: ops\r
        Impersonate-Extra-scopes: a\r

        """)
    #expect(String(buffer: source.ownCredential().fieldLines) == "Authorization: Bearer own-token\r\n")
    let certificate = ImpersonationCredential(proof: .certificate(fingerprint: "ab12"), names: ReservedNames())
    guard
      case .now(let made) = try certificate.credential(
        for: .identity(.of()), impersonating: nil, memory: nil, eventLoop: self.eventLoop)
    else { return }
    #expect(made.connection.certificateFingerprint == "ab12" && String(buffer: made.fieldLines).hasPrefix("Impersonate-User: alice\r\n"))
    #expect(made.kind == "impersonation")
  }

  /// Neither the gateway's own token nor its rights are for somebody who is nobody.
  @Test func nobodyGetsNothing() throws {
    let source = try self.source()
    guard case .now(let nothing) = try source.credential(for: .anonymous, impersonating: nil, memory: nil, eventLoop: self.eventLoop) else {
      return
    }
    #expect(nothing.fieldLines.readableBytes == 0 && nothing.connection == .none)
  }

  @Test func reservedNamesAreJudgedOnceMore() async throws {
    let source = try self.source(Reviewer(["/users///zoe"]), names: ["system:monitor"])
    #expect(await self.code { _ = try await self.lines(source, .of(groups: ["system:masters"])) } == "nameReserved")
    #expect(await self.code { _ = try await self.lines(source, .of("system:admin"), as: .init(user: "zoe")) } == "nameReserved")
    #expect(await self.code { _ = try await self.lines(source, .of("system:monitor")) } == nil)
  }

  @Test func anImpersonationIsAskedAboutValueByValue() async throws {
    let everything: Set = [
      "/users///zoe", "/groups///a", "/groups///b", "authentication.k8s.io/uids///9", "authentication.k8s.io/userextras/k//v",
    ]
    let wanted = RequestedImpersonation(user: "zoe", uid: "9", groups: ["a", "b"], extra: [.init(key: "k", values: ["v"])])
    let reviewer = Reviewer(everything)
    let alice = Identity.of(uid: "7")
    #expect(
      try await self.lines(try self.source(reviewer), alice, as: wanted) == """
        Authorization: Bearer own-token\r
        Impersonate-User: zoe\r
        Impersonate-Uid: 9\r
        Impersonate-Group: a\r
        Impersonate-Group: b\r
        Impersonate-Extra-k: v\r
        Impersonate-Extra-sallyport.dev%2foriginal-user: alice\r
        Impersonate-Extra-sallyport.dev%2foriginal-uid: 7\r
        Impersonate-Extra-sallyport.dev%2foriginal-groups: dev\r

        """)
    #expect(Set(reviewer.asked) == everything)
    for one in everything {
      let source = try self.source(Reviewer(everything.subtracting([one])))
      #expect(await self.code { _ = try await self.lines(source, alice, as: wanted) } == "impersonationNotAllowed", "\(one)")
    }
    let accounts = Reviewer(["/serviceaccounts//dev/default"])
    let account = RequestedImpersonation(user: "system:serviceaccount:dev:default")
    #expect(await self.code { _ = try await self.lines(try self.source(accounts), alice, as: account) } == nil)
    // What only looks like one is a user.
    let users = Reviewer(["/users///system:serviceaccount:dev"])
    #expect(
      await self.code { _ = try await self.lines(try self.source(users), alice, as: .init(user: "system:serviceaccount:dev")) } == nil)
  }

  @Test func whatWasFoundOutHoldsForAMomentAndForNobodyElse() async throws {
    let reviewer = Reviewer(["/users///z\u{E4}"])
    let source = try self.source(reviewer)
    let alice = Identity.of()
    let wanted = RequestedImpersonation(user: "z\u{E4}")
    for _ in 0..<3 { _ = try await self.lines(source, alice, as: wanted) }
    #expect(reviewer.asked.count == 1)
    // Another object of the same name, and a name that Swift takes for the same.
    _ = try await self.lines(source, .of(), as: wanted)
    #expect(await self.code { _ = try await self.lines(source, alice, as: .init(user: "za\u{308}")) } == "impersonationNotAllowed")
    #expect(reviewer.asked.count == 3)
    self.time.advance(by: 11)
    _ = try await self.lines(source, alice, as: wanted)
    #expect(reviewer.asked.count == 4)
  }

  @Test func whereNobodyCanBeAskedNobodyImpersonates() async throws {
    let wanted = RequestedImpersonation(user: "zoe")
    #expect(await self.code { _ = try await self.lines(try self.source(), .of(), as: wanted) } == "impersonationNotPossible")
    let away = Problem("away", blame: .upstream, status: 503, message: "away")
    let reviewer = Reviewer(["/users///zoe"], failure: away)
    #expect(await self.code { _ = try await self.lines(try self.source(reviewer), .of(), as: wanted) } == "away")
    let own = RequestedImpersonation(user: "zoe", extra: [.init(key: "sallyport.dev/original-user", values: ["root"])])
    #expect(await self.code { _ = try await self.lines(try self.source(Reviewer([])), .of(), as: own) } == "impersonationOfOwn")
  }

  @Test func anImpersonationIsTheRequestsOwnAndANewTokenIsUsedAtOnce() async throws {
    let token = try OwnToken(file: try self.directory.write("one\n", to: "token"))
    let source = ImpersonationCredential(
      proof: .token(token), names: ReservedNames(), reviewer: Reviewer(["/users///zoe"]), clock: self.time.clock)
    let (alice, memory) = (Identity.of(), ConnectionMemory())
    let own = "Authorization: Bearer one\r\nImpersonate-User: alice\r\nImpersonate-Group: dev\r\n"
    #expect(try await self.lines(source, alice, memory) == own)
    #expect(try await self.lines(source, alice, as: .init(user: "zoe"), memory).contains("Impersonate-User: zoe"))
    #expect(try await self.lines(source, alice, memory) == own)
    #expect(try await self.lines(source, .of("bob"), memory).contains("Impersonate-User: bob"))
    try self.directory.write("two\r\n", to: "token")
    try token.refresh()
    #expect(try await self.lines(source, alice, memory).hasPrefix("Authorization: Bearer two\r\n"))
    for bad in ["", "\n", "two words", "a\nb", "tab\tbed", "ümlaut"] {
      try self.directory.write(bad, to: "token")
      #expect(throws: OwnToken.Fault.self) { try token.refresh() }
    }
    #expect(try await self.lines(source, alice, memory).hasPrefix("Authorization: Bearer two\r\n"))
  }

  private func lines(_ source: ImpersonationCredential, _ identity: Identity, _ memory: ConnectionMemory) async throws -> String {
    try await self.lines(source, identity, as: nil, memory)
  }
}
