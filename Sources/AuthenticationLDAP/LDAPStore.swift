public import Logging
import NIOCore
public import SallyportAuthentication
public import SallyportCore

/// Verifies passwords by binding to a directory (RFC 4513 section 5.1.3).
///
/// Each of a few threads has its own connections; ``DirectorySession`` says what happens on them. The server has the last
/// word about a password: nothing of it is kept or compared here.
public final class LDAPStore: PasswordStore {
  private let configuration: LDAPConfiguration
  private let connector: any DirectoryConnector
  private let threads: StoreThreads<DirectorySession>

  public convenience init(_ configuration: LDAPConfiguration, logger: Logger) {
    self.init(configuration, connector: LDAPConnector(encryption: configuration.encryption), logger: logger)
  }

  init(_ configuration: LDAPConfiguration, connector: any DirectoryConnector, logger: Logger) {
    let board = ServerBoard(configuration.servers, logger: logger)
    self.configuration = configuration
    self.connector = connector
    self.threads = StoreThreads(name: "ldap", count: configuration.connections, waiting: configuration.waiting) {
      DirectorySession(configuration, board: board, connector: connector, logger: logger)
    }
  }

  public var method: AuthenticationMethod { .ldap }
  public var answersTellByTime: Bool { true }

  public var fingerprint: [UInt8] {
    // The values describe themselves by all that they are; secrets are none of what a judgement depends on.
    Array("\(self.configuration.servers) \(self.configuration.users) \(String(describing: self.configuration.groups))".utf8)
  }

  public func judge(_ attempt: PasswordAttempt, then: @escaping @Sendable (StoreJudgement) -> Void) -> Bool {
    self.threads.run { then($0.judge(attempt)) }
  }

  public func probe() async -> [ProbeFinding] {
    let probe = DirectoryProbe(configuration: self.configuration, connector: self.connector)
    return await withCheckedContinuation { continuation in
      let isTaken = self.threads.run { _ in continuation.resume(returning: probe.findings()) }
      if !isTaken { continuation.resume(returning: [.bad("ldap", "too many passwords wait to be verified")]) }
    }
  }

  public func refresh(_ user: StoredUser, then: @escaping @Sendable (StoreRefreshment) -> Void) -> Bool {
    guard let reference = user.reference else { return false }
    return self.threads.run { then($0.refresh(reference)) }
  }
}
