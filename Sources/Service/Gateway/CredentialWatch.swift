import Logging
import NIOCore
import NIOPosix
import SallyportCredential

/// Keeps the gateway's own tokens up with their files: whoever writes them does it before the one in force ends, without
/// telling anybody.
final class CredentialWatch: Sendable {
  /// How often the files are read; a service account's token is written anew long before it ends.
  static let interval = Duration.seconds(5)

  private let contexts: LoopContexts
  private let logger: Logger

  init(contexts: LoopContexts, logger: Logger) {
    self.contexts = contexts
    self.logger = logger
  }

  /// Runs until its task is cancelled.
  func run(every interval: Duration = CredentialWatch.interval) async {
    /// What is wrong with a file is news once.
    var faults: [String: String] = [:]
    while !Task.isCancelled {
      for token in await self.contexts.ownTokens() {
        let fault = try? await NIOThreadPool.singleton.runIfActive { () -> OwnToken.Fault? in
          do throws(OwnToken.Fault) {
            try token.refresh()
            return nil
          } catch {
            return error
          }
        }
        let text = (fault ?? nil)?.description
        if let text, faults[token.path] != text {
          self.logger.error(
            "a token of the gateway's own is not taken over; the one before stays in use",
            metadata: ["file": "\(token.path)", "problem": "it \(text)"])
        }
        faults[token.path] = text
      }
      try? await Task.sleep(for: interval)
    }
  }
}

extension LoopContexts {
  /// The tokens of the present generation.
  fileprivate func ownTokens() async -> [OwnToken] {
    guard let eventLoop = self.eventLoops.first else { return [] }
    let tokens = try? await eventLoop.submit {
      self.context(of: eventLoop).generation.credentials.named.values.compactMap { credential -> OwnToken? in
        if case .impersonation(let source) = credential.source, case .token(let token) = source.proof { token } else { nil }
      }
    }.get()
    return tokens ?? []
  }
}
