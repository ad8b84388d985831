import NIOConcurrencyHelpers

import struct Foundation.Date

/// The service account tokens that this server issued and has not forgotten.
///
/// They are random and no JWTs: nobody outside can verify them, and a restart forgets them all.
final class TokenTable: Sendable {
  private struct Entry {
    let user: UserInfo
    let expires: Date
  }

  private static let limit = 1000
  private let entries = NIOLockedValueBox<[String: Entry]>([:])

  func issue(for user: UserInfo, until expires: Date) -> String {
    let random = (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }
    let token = "practice-token." + random.joined()
    self.entries.withLockedValue { entries in
      if entries.count >= Self.limit { entries = entries.filter { $0.value.expires > Date() } }
      if entries.count >= Self.limit, let oldest = entries.min(by: { $0.value.expires < $1.value.expires }) {
        entries[oldest.key] = nil
      }
      entries[token] = Entry(user: user, expires: expires)
    }
    return token
  }

  func user(of token: String) -> UserInfo? {
    self.entries.withLockedValue { entries in
      guard let entry = entries[token], entry.expires > Date() else { return nil }
      return entry.user
    }
  }
}
