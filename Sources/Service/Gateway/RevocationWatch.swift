import Logging
import NIOCore
import NIOPosix
import SallyportAudit
import SallyportCore
import SallyportRevocation

import struct Foundation.Date

/// Keeps the revocation lists up with their files, and cuts the streams of certificates that they no longer let in.
///
/// Requests are judged by themselves, each by the lists that are in force. What was admitted before and stays (watches,
/// tunnels) is judged anew here: when other lists come into force, also by another configuration, and when one ends.
final class RevocationWatch: Sendable {
  /// How often the files are looked at; a look is one call of the system for each.
  static let interval = Duration.seconds(1)

  private let contexts: LoopContexts
  private let logger: Logger
  private let now: @Sendable () -> Date

  init(contexts: LoopContexts, logger: Logger, now: @escaping @Sendable () -> Date = { Date() }) {
    self.contexts = contexts
    self.logger = logger
    self.now = now
  }

  /// What the streams were judged by the last time.
  private struct Judged: Equatable {
    let store: ObjectIdentifier
    let version: UInt64
  }

  /// Runs until its task is cancelled.
  func run(every interval: Duration = RevocationWatch.interval) async {
    var judged: Judged?
    var nextChange: Date?
    var isSettled = false
    while !Task.isCancelled {
      if let store = await self.contexts.revocation() {
        await self.reload(store)
        let present = Judged(store: ObjectIdentifier(store), version: store.version)
        let isOver = nextChange.map { $0 <= self.now() } ?? false
        // Twice: what was admitted by the lists of before may enter the registry only after the first look at it.
        if present != judged || isOver || !isSettled {
          isSettled = present == judged && !isOver
          await self.cutStreams(by: store)
          // What is to be said of the lists of a new configuration was said when it was read.
          if present.store == judged?.store, present != judged || isOver {
            for warning in store.warnings(at: self.now()) { self.logger.warning("\(warning)") }
          }
          judged = present
          nextChange = store.nextChange(after: self.now())
        }
      }
      try? await Task.sleep(for: interval)
    }
  }

  private func reload(_ store: RevocationStore) async {
    // Reading and verifying a long list takes a while, and no event loop's time.
    let reloaded = try? await NIOThreadPool.singleton.runIfActive { store.reload() }
    for problem in reloaded?.problems ?? [] {
      self.logger.error(
        "a revocation list is not taken over; what was in force stays until it ends", metadata: ["problem": "\(problem)"])
    }
    if reloaded?.changed == true {
      self.logger.notice("other revocation lists are in force", metadata: ["certificates": "\(store.revokedCount)"])
    }
  }

  private func cutStreams(by store: RevocationStore) async {
    let now = self.now()
    for reason in [StreamEnd.Reason.certificateRevoked, .revocationUnknown] {
      let count = await self.contexts.cutStreams(reason) { facts in
        guard case .identity(let identity)? = facts.subject, identity.method == .clientCertificate,
          let certificate = facts.connection.clientCertificate, case .refused(let problem, _) = store.judge(certificate, at: now)
        else { return false }
        return (problem == RevocationProblem.certificateRevoked) == (reason == .certificateRevoked)
      }
      if count > 0 { self.logger.notice("streams are cut", metadata: ["reason": "\(reason.rawValue)", "streams": "\(count)"]) }
    }
  }
}

extension LoopContexts {
  /// The lists of the present generation.
  fileprivate func revocation() async -> RevocationStore? {
    guard let eventLoop = self.eventLoops.first else { return nil }
    return try? await eventLoop.submit { self.context(of: eventLoop).generation.revocation }.get()
  }
}
