import NIOCore
import SallyportCore
import SallyportSessions

import struct Foundation.Date

extension Answer {
  var value: Value {
    get async throws {
      switch self {
      case .now(let value): value
      case .later(let future): try await future.get()
      }
    }
  }
}

extension SessionStore {
  /// For a browser that had no session before.
  func begin(
    _ session: StoredSession, as key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionStart> {
    self.begin(session, as: key, replacing: [], limits, at: now, on: eventLoop)
  }

  func end(_ key: SessionKey, on eventLoop: any EventLoop) -> Answer<Bool> { self.end([key], on: eventLoop) }
}
