import Logging
import NIOCore
import SallyportAudit
import SallyportAuthentication
import SallyportCore

/// Sees to it that no stream outlasts the session that let it in, and that it does not go on for a user who is somebody else by
/// now.
///
/// Requests are judged one by one; what was admitted before and stays is judged here: at once when a session is signed out, and
/// otherwise every few seconds. An open stream counts as use of its session: who watches the log of a pod is not idle.
final class SessionWatch: Sendable {
  /// How often the sessions of streams are looked at.
  static let interval = Duration.seconds(5)

  private let contexts: LoopContexts
  private let endings: SessionEndings
  private let logger: Logger

  init(contexts: LoopContexts, endings: SessionEndings, logger: Logger) {
    self.contexts = contexts
    self.endings = endings
    self.logger = logger
  }

  /// Runs until its task is cancelled.
  func run(every interval: Duration = SessionWatch.interval) async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await keys in self.endings.keys {
          let keys = Set(keys)
          await self.cut(.sessionEnded) { $0.session.map { keys.contains($0.key) } ?? false }
        }
      }
      group.addTask {
        while !Task.isCancelled {
          try? await Task.sleep(for: interval)
          await self.review()
        }
      }
    }
  }

  /// How many sessions are looked at side by side: one whose provider or directory hangs holds up none of the others.
  private static let mostAtOnce = 64

  private func review() async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for eventLoop in self.contexts.eventLoops {
        let streams = (try? await eventLoop.submit { self.contexts.context(of: eventLoop).sessionStreams() }.get()) ?? []
        for stream in streams {
          if running == Self.mostAtOnce {
            await group.next()
            running -= 1
          }
          running += 1
          group.addTask { await self.review(stream, on: eventLoop) }
        }
      }
    }
  }

  private func review(_ stream: SessionStream, on eventLoop: any EventLoop) async {
    switch try? await eventLoop.flatSubmit({ stream.review(on: eventLoop) }).get() {
    case nil, .good: return
    case .ended: await self.cut(.sessionEnded) { $0.session?.key == stream.identity.session?.key }
    // Streams that the same session let in later know the user as they are now.
    case .identityChanged: await self.cut(.identityChanged) { $0 === stream.identity }
    }
  }

  private func cut(_ reason: StreamEnd.Reason, where condition: @escaping @Sendable (Identity) -> Bool) async {
    let count = await self.contexts.cutStreams(reason) { facts in
      if case .identity(let identity)? = facts.subject { condition(identity) } else { false }
    }
    if count > 0 { self.logger.notice("streams are cut", metadata: ["reason": "\(reason.rawValue)", "streams": "\(count)"]) }
  }
}

/// A session by which streams were let in, and what they were let in with.
private struct SessionStream: Sendable {
  let identity: Identity
  let certificate: VerifiedCertificate?
  let authenticator: Authenticator

  func review(on eventLoop: any EventLoop) -> EventLoopFuture<SessionReview> {
    switch self.authenticator.review(self.identity, certificate: self.certificate, on: eventLoop) {
    case .now(let review): eventLoop.makeSucceededFuture(review)
    case .later(let future): future.hop(to: eventLoop)
    }
  }
}

extension LoopContext {
  /// The sessions of the streams of this event loop, each identity once: many streams of a dashboard are of one session.
  fileprivate func sessionStreams() -> [SessionStream] {
    var found: [ObjectIdentifier: SessionStream] = [:]
    for facts in self.streams.facts {
      guard case .identity(let identity)? = facts.subject, identity.session != nil else { continue }
      found[ObjectIdentifier(identity)] = SessionStream(
        identity: identity, certificate: facts.connection.clientCertificate, authenticator: self.generation.authenticator)
    }
    return Array(found.values)
  }
}
