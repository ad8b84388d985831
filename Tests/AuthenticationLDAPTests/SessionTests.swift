import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import TestSupport
import Testing

@testable import SallyportAuthenticationLDAP

/// What a thread does when servers fail, without any server.
@Suite struct SessionTests {
  private static let unreachable = DirectoryFault(kind: .unreachable, detail: "connection refused")
  private static let timedOut = DirectoryFault(kind: .timedOut, detail: "not answered")

  @Test func theFirstServerThatCanBeReachedIsAsked() async throws {
    let directory = ScriptedDirectory()
    directory.state.withLockedValue { $0.refusals = [1: Self.unreachable] }
    #expect(try await directory.desk().ask("alice", "x").identifiedUser?.username == "alice")
    // Left alone for a moment after its failure: the second connection does not try it again.
    #expect(directory.state.withLockedValue { $0.connects } == [1, 2, 2])
  }

  @Test func withoutAnyServerNobodyIsLetIn() async throws {
    let directory = ScriptedDirectory()
    directory.state.withLockedValue { $0.refusals = [1: Self.unreachable, 2: Self.unreachable] }
    let desk = try directory.desk()
    #expect(try await desk.ask("alice", "x").refusal?.code == "passwordStoreUnavailable")
    // Who comes within the next moment waits for nothing.
    #expect(try await desk.ask("alice", "y").refusal?.code == "passwordStoreUnavailable")
    #expect(directory.state.withLockedValue { $0.connects } == [1, 2])
    directory.state.withLockedValue { $0.refusals = [:] }
    try await Task.sleep(for: .milliseconds(1100))
    #expect(try await desk.ask("alice", "x").identifiedUser != nil)
  }

  @Test func aKeptConnectionThatEndedIsMadeAnew() async throws {
    let directory = ScriptedDirectory()
    let desk = try directory.desk()
    _ = try await desk.ask("alice", "a")
    directory.state.withLockedValue {
      $0.searchFaults = [Self.unreachable]
      $0.bindFaults = [Self.unreachable]
    }
    #expect(try await desk.ask("alice", "b").identifiedUser != nil)
    #expect(directory.state.withLockedValue { $0.connects } == [1, 1, 1, 1])
  }

  @Test func aSearchThatHangsIsMadeAtTheNextServer() async throws {
    let directory = ScriptedDirectory()
    let desk = try directory.desk()
    directory.state.withLockedValue { $0.searchFaults = [Self.timedOut] }
    #expect(try await desk.ask("alice", "a").identifiedUser != nil)
    #expect(directory.state.withLockedValue { $0.connects } == [1, 2, 2])
  }

  /// The server may have counted it, and would count it twice.
  @Test func aBindThatHangsIsNotRepeated() async throws {
    let directory = ScriptedDirectory()
    let desk = try directory.desk()
    directory.state.withLockedValue { $0.bindFaults = [Self.timedOut] }
    #expect(try await desk.ask("alice", "a").refusal?.code == "passwordStoreUnavailable")
    #expect(directory.state.withLockedValue { $0.binds } == ["uid=alice,ou=people"])
  }

  @Test func aSearchThatDoesNotSucceedIsNoAnswer() async throws {
    for code: Int32 in [1, 3, 10, 11, 32, 50, 51, 52, 53, 80] {
      let directory = ScriptedDirectory()
      directory.state.withLockedValue { $0.searchFaults = [DirectoryFault(kind: .answered(code), detail: "code \(code)")] }
      let problem = try #require(try await directory.desk().ask("alice", "a").refusal, "code \(code)")
      #expect(problem.status == 503, "code \(code)")
      #expect(directory.state.withLockedValue { $0.binds } == [])
    }
  }

  @Test func moreThanOneEntryIsNobody() async throws {
    for twice in [true, false] {
      let directory = ScriptedDirectory()
      directory.state.withLockedValue { state in
        if twice { state.entries += state.entries } else { state.searchFaults = [DirectoryFault(kind: .answered(4), detail: "size limit")] }
      }
      #expect(try await directory.desk().ask("alice", "a").refusal?.code == "credentialsRefused")
      #expect(directory.state.withLockedValue { $0.binds } == [])
    }
  }

  @Test func anEmptyPasswordNeverReachesTheServer() async throws {
    let directory = ScriptedDirectory()
    #expect(try await directory.desk().ask("alice", "").refusal?.code == "credentialsRefused")
    #expect(directory.state.withLockedValue { $0.connects } == [])
  }

  @Test func anEntryMustHaveOneNameAsText() async throws {
    for values: [[UInt8]] in [
      [], [Array("alice".utf8), Array("bob".utf8)], [[0xFF, 0xFE]], [Array("a\nb".utf8)], [Array("system:x".utf8)],
    ] {
      let directory = ScriptedDirectory()
      directory.state.withLockedValue { $0.entries = [DirectoryEntry(name: "uid=alice", attributes: ["uid": values])] }
      #expect(try await directory.desk().ask("alice", "a").refusal?.code == "credentialsRefused")
    }
  }

  @Test func afterTooManyFailuresNothingReachesTheServer() async throws {
    let directory = ScriptedDirectory()
    directory.state.withLockedValue { $0.bindCode = 49 }
    let desk = try directory.desk(failures: 3)
    var codes: [String] = []
    for index in 0..<10 { codes.append(try await desk.ask("alice", "guess \(index)").refusal?.code ?? "") }
    #expect(codes == Array(repeating: "credentialsRefused", count: 3) + Array(repeating: "credentialsThrottled", count: 7))
    #expect(directory.state.withLockedValue { $0.binds.count } == 3)
  }
}
