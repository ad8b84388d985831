import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// Tokens that somebody else is asked about: one question for each, however many wait for its answer.
extension TokenAuthenticator {
  /// How many tokens are asked about at a time. Every text that somebody makes up is one more.
  private static let mostQuestions = 256

  func ask(
    about token: UnsafeRawBufferPointer, _ key: CredentialKey, at now: NIODeadline, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    // What no token can be (RFC 6750 section 2.1) is nothing to bother anybody with.
    guard Self.isToken(token) else { return .now(self.refuse("the token has characters that no token has", key, at: now)) }
    switch self.memory.flights.board(key, on: eventLoop) {
    case .joins(let future): return .later(future)
    case .leads(let future):
      let isAdmitted = self.memory.asking.withLockedValue { asking in
        guard asking < Self.mostQuestions else { return false }
        asking += 1
        return true
      }
      guard isAdmitted else {
        self.memory.flights.land(key, with: Self.unavailable("too many tokens are being asked about"))
        return .later(future)
      }
      let token = Secret(token)
      Task {
        let outcome = await self.ask(about: token, key)
        self.memory.asking.withLockedValue { $0 -= 1 }
        self.memory.flights.land(key, with: outcome)
      }
      return .later(future)
    }
  }

  /// Asks one after the other until one vouches for the token. Where one cannot be asked, the token is not known to be bad, and
  /// nothing is remembered.
  private func ask(about token: Secret, _ key: CredentialKey) async -> AuthenticationOutcome {
    var details: [String] = []
    var isUnknown = false
    for judge in self.judges {
      switch await judge.judgement(of: token, at: self.clock.wall) {
      case .believed(let identity):
        self.remember(identity, key, at: self.clock.monotonic(), self.clock.wall())
        return .identified(identity)
      case .refused(let detail): details.append(detail)
      case .unknown(let detail):
        isUnknown = true
        details.append(detail)
      }
    }
    let detail = details.joined(separator: "; ")
    return isUnknown ? Self.unavailable(detail) : self.refuse(detail, key, at: self.clock.monotonic())
  }

  private static func unavailable(_ detail: String) -> AuthenticationOutcome {
    .refused(AuthenticationProblem.identityProviderUnavailable.with(detail: detail))
  }

  /// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
  private static func isToken(_ text: UnsafeRawBufferPointer) -> Bool {
    let end = text.lastIndex { $0 != UInt8(ascii: "=") } ?? text.startIndex
    return text[...end].allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
        true
      default: false
      }
    }
  }
}
