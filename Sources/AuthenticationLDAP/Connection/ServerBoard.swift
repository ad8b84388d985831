import Logging
import NIOConcurrencyHelpers
import NIOCore

/// Which of a directory's servers can be reached, as all threads have found.
///
/// A server that failed is left alone for a second, so that those who come meanwhile wait for nothing, and then tried
/// again: what comes back is in use within a second and one timeout.
final class ServerBoard: Sendable {
  static let pause = TimeAmount.seconds(1)

  private let servers: [LDAPConfiguration.Server]
  private let logger: Logger
  private let failedUntil: NIOLockedValueBox<[NIODeadline?]>

  init(_ servers: [LDAPConfiguration.Server], logger: Logger) {
    self.servers = servers
    self.logger = logger
    self.failedUntil = NIOLockedValueBox(Array(repeating: nil, count: servers.count))
  }

  /// The servers to try, in the order of the configuration.
  func candidates(at now: NIODeadline) -> [Int] {
    self.failedUntil.withLockedValue { times in self.servers.indices.filter { index in times[index].map { now >= $0 } ?? true } }
  }

  subscript(index: Int) -> LDAPConfiguration.Server { self.servers[index] }

  func failed(_ index: Int, _ fault: DirectoryFault, at now: NIODeadline) {
    let isNews = self.failedUntil.withLockedValue { times in
      defer { times[index] = now + Self.pause }
      return times[index] == nil
    }
    guard isNews else { return }
    self.logger.warning("an LDAP server cannot be used", metadata: ["server": "\(self.servers[index])", "reason": "\(fault.detail)"])
  }

  func succeeded(_ index: Int) {
    let isNews = self.failedUntil.withLockedValue { times in
      defer { times[index] = nil }
      return times[index] != nil
    }
    if isNews { self.logger.notice("an LDAP server can be used again", metadata: ["server": "\(self.servers[index])"]) }
  }
}
