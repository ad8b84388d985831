import Foundation
import Logging
import SallyportAuthentication
import SallyportAuthenticationPAM
import SallyportCore
import TestSupport
import Testing

/// Against PAM itself, with modules of Debian's: `pam_matrix` of libpam-wrapper has users from a file.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PAMStoreTests {
  /// A directory of services; `sallyport` is the one with users.
  private func services(_ lines: String...) throws -> TemporaryDirectory {
    let directory = TemporaryDirectory()
    try directory.write("alice:alice-secret:sallyport\nbob:bob-secret:sallyport\ncarol:carol-secret:another\n", to: "users")
    let standard = [
      "auth required \(try Self.module()) passdb=\(directory.file("users"))",
      "account required \(try Self.module()) passdb=\(directory.file("users"))",
    ]
    try directory.write((lines.isEmpty ? standard : lines).map { $0 + "\n" }.joined(), to: "sallyport", permissions: 0o644)
    return directory
  }

  private static func module() throws -> String {
    let machine = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib").map { "/usr/lib/\($0)/pam_wrapper/pam_matrix.so" }
    guard let path = machine.first(where: FileManager.default.fileExists) else {
      throw ToolFailure("pam_matrix of libpam-wrapper is missing: run `make test-peers`")
    }
    return path
  }

  private func source(
    _ directory: TemporaryDirectory, groups: PAMConfiguration.Groups = .none
  ) -> AuthenticatorConfiguration.PasswordSource {
    .store(
      PAMStore(
        PAMConfiguration(service: "sallyport", serviceDirectory: directory.path, groups: groups),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
  }

  @Test func pamKeepsThePromisesOfEveryStore() async throws {
    let directory = try self.services()
    let conformance = AuthenticatorConformance(
      self.source(directory), person: .init(typed: "alice", password: "alice-secret"), other: .init(typed: "bob", password: "bob-secret"))
    #expect(try await conformance.verify() == [])
  }

  @Test func theNameAndTheServiceAreInTheIdentity() async throws {
    let directory = try self.services()
    let identity = try #require(try await Desk(self.source(directory)).ask("alice", "alice-secret").identifiedUser)
    #expect(identity.username == "alice" && identity.method == .pam && identity.groups == [])
    #expect(identity.origin == [.init("service", "sallyport")])
  }

  /// Expired and locked are told apart in the reason, which is the operator's, and by nothing that the client reads.
  @Test(arguments: [
    ("acct_expired", "account has expired"), ("new_authtok_reqd", "must be changed"), ("perm_denied", "locked"),
    ("auth_err", "not admitted"), ("user_unknown", "does not know"),
  ])
  func accountsAreToldApartInTheReasonAlone(code: String, reason: String) async throws {
    let directory = try self.services("auth required pam_permit.so", "account [default=bad] pam_debug.so acct=\(code)")
    let problem = try #require(try await Desk(self.source(directory)).ask("alice", "x").refusal)
    #expect(problem.code == "credentialsRefused" && problem.detail.contains(reason), "\(problem)")
    #expect(problem.message == "The credentials were not accepted.")
  }

  @Test(arguments: [
    ("auth_err", "credentialsRefused"), ("maxtries", "credentialsRefused"), ("perm_denied", "credentialsRefused"),
    ("acct_expired", "credentialsRefused"), ("user_unknown", "credentialsRefused"), ("authinfo_unavail", "passwordStoreUnavailable"),
    ("cred_insufficient", "passwordStoreUnavailable"), ("system_err", "passwordStoreUnavailable"),
    ("service_err", "passwordStoreUnavailable"), ("buf_err", "passwordStoreUnavailable"), ("abort", "passwordStoreUnavailable"),
  ])
  func everyAnswerOfAModuleHasItsMeaning(code: String, meaning: String) async throws {
    let directory = try self.services("auth [default=bad] pam_debug.so auth=\(code)", "account required pam_permit.so")
    let outcome = try await Desk(self.source(directory)).ask("alice", "x")
    #expect(outcome.refusal?.code == meaning, "\(outcome)")
  }

  @Test func whoIsUnknownToPAMIsLookedForInTheNextStore() async throws {
    let unknown = try self.services("auth [default=bad] pam_debug.so auth=user_unknown", "account required pam_permit.so")
    let known = try self.services()
    #expect(try await Desk(self.source(unknown), self.source(known)).ask("alice", "alice-secret").identifiedUser?.username == "alice")
    let refused = try self.services("auth required pam_deny.so", "account required pam_permit.so")
    #expect(try await Desk(self.source(refused), self.source(known)).ask("alice", "alice-secret").refusal?.status == 401)
  }

  /// A question whose answer would be shown, and a second question, are no questions for a password.
  @Test func onlyOneQuestionWithoutEchoIsAnswered() async throws {
    let module = try Self.module()
    let echo = try self.services()
    try echo.write(
      "auth required \(module) passdb=\(echo.file("users")) echo\naccount required pam_permit.so\n", to: "sallyport", permissions: 0o644)
    let problem = try #require(try await Desk(self.source(echo)).ask("alice", "alice-secret").refusal)
    #expect(problem.status == 503 && problem.detail.contains("more than a password"), "\(problem)")
    let chatty = try self.services()
    try chatty.write(
      "auth required \(module) passdb=\(chatty.file("users")) verbose\naccount required \(module) passdb=\(chatty.file("users"))\n",
      to: "sallyport", permissions: 0o644)
    #expect(try await Desk(self.source(chatty)).ask("alice", "alice-secret").identifiedUser != nil, "messages are no questions")
    #expect(try await Desk(self.source(chatty)).ask("alice", "wrong").refusal?.status == 401)
  }

  @Test func aServiceThatIsNotThereLetsNobodyIn() async throws {
    let directory = TemporaryDirectory()
    let outcome = try await Desk(self.source(directory)).ask("root", "x")
    #expect(outcome.identifiedUser == nil && outcome.refusal != nil)
  }

  @Test func theClientsAddressIsTold() async throws {
    let access = TemporaryDirectory()
    try access.write("+:ALL:192.0.2.8\n-:ALL:ALL\n", to: "access.conf")
    let directory = try self.services(
      "auth required pam_permit.so", "account required pam_access.so accessfile=\(access.file("access.conf")) nodefgroup")
    // The desks' addresses end in their number and one.
    #expect(try await Desk(self.source(directory), network: 7).ask("root", "x").identifiedUser?.username == "root")
    #expect(try await Desk(self.source(directory), network: 8).ask("root", "x").refusal?.status == 401)
  }

  @Test func groupsAreTheSystems() async throws {
    let directory = try self.services("auth required pam_permit.so", "account required pam_permit.so")
    let identity = try #require(try await Desk(self.source(directory, groups: .system)).ask("daemon", "x").identifiedUser)
    let id = try await run("id", ["-Gn", "daemon"])
    #expect(identity.groups.sorted() == id.output.split(whereSeparator: \.isWhitespace).map(String.init).sorted())
    #expect(try await Desk(self.source(directory, groups: .system)).ask("not-a-system-user", "x").identifiedUser?.groups == [])
  }

  @Test func anAccountThatIsNoLongerGoodIsOutAtHalfTheLifetime() async throws {
    let directory = try self.services()
    let desk = Desk(self.source(directory), lifetime: .seconds(4))
    #expect(try await desk.ask("alice", "alice-secret").identifiedUser != nil)
    try directory.write("alice:alice-secret:another\n", to: "users")
    let start = ContinuousClock.now
    while try await desk.ask("alice", "alice-secret").identifiedUser != nil {
      try #require(ContinuousClock.now - start < .seconds(30))
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  /// A second opinion on the same service file: pamtester, under pam_wrapper.
  @Test func pamtesterSaysTheSame() async throws {
    let directory = try self.services()
    let wrapper = try Self.module().replacing("pam_wrapper/pam_matrix.so", with: "libpam_wrapper.so")
    for (name, password) in [("alice", "alice-secret"), ("alice", "wrong"), ("carol", "carol-secret"), ("nobody", "x")] {
      let other = try await run(
        "pamtester", ["sallyport", name, "authenticate", "acct_mgmt"],
        environment: ["LD_PRELOAD": wrapper, "PAM_WRAPPER": "1", "PAM_WRAPPER_SERVICE_DIR": directory.path],
        input: Data("\(password)\n".utf8))
      let outcome = try await Desk(self.source(directory)).ask(name, password)
      #expect((outcome.identifiedUser != nil) == (other.status == 0), "\(name): \(outcome), \(other.transcript)")
    }
  }

  /// A user of another service is nobody here, whatever the password.
  @Test func aUserOfAnotherServiceIsNotAdmitted() async throws {
    let directory = try self.services()
    let problem = try #require(try await Desk(self.source(directory)).ask("carol", "carol-secret").refusal)
    #expect(problem.code == "credentialsRefused", "\(problem)")
  }

  /// PAM knows no timeout: the thread stays with the module, and whoever waits does not.
  @Test func aModuleThatHangsIsNotWaitedFor() async throws {
    let hanging = TemporaryDirectory()
    let flag = try hanging.write("", to: "hangs")
    let script = try hanging.write("#!/bin/sh\nwhile [ -e \(flag) ]; do sleep 0.05; done\nexit 0\n", to: "hang", permissions: 0o755)
    let directory = try self.services("auth required pam_exec.so quiet \(script)", "account required pam_permit.so")
    let configuration = PAMConfiguration(
      service: "sallyport", serviceDirectory: directory.path, groups: .none, threads: 1, waiting: 1, timeout: .milliseconds(500))
    let desk = Desk(.store(PAMStore(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })))
    async let outcomes = withThrowingTaskGroup(of: Problem?.self) { group in
      for name in ["alice", "bob", "carol"] { group.addTask { try await desk.ask(name, "x").refusal } }
      var problems: [Problem] = []
      for try await problem in group { if let problem { problems.append(problem) } }
      return problems
    }
    // Meanwhile another store's users sign in.
    let standard = try self.services()
    #expect(try await Desk(self.source(standard)).ask("alice", "alice-secret").identifiedUser != nil)
    let problems = try await outcomes
    #expect(problems.count == 3 && problems.allSatisfy { $0.status == 503 && $0.retryAfterSeconds != nil }, "\(problems)")
    #expect(problems.contains { $0.detail.contains("did not answer within") }, "\(problems)")
    #expect(problems.contains { $0.detail.contains("too many") }, "\(problems)")
    // Still hanging: nobody gets in.
    #expect(try await desk.ask("dora", "x").refusal?.status == 503)
    try FileManager.default.removeItem(atPath: flag)
    let start = ContinuousClock.now
    while try await desk.ask("alice", "x").identifiedUser == nil {
      try #require(ContinuousClock.now - start < .seconds(30))
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
