import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// What was made for identities and still holds, for all event loops: an identity that comes by another connection finds it
/// here. A connection's next request of the same identity does not even ask (``ConnectionMemory``).
///
/// Bounded; what was not asked for longest goes first.
final class MintedCredentials<Key: Hashable & Sendable>: Sendable {
  private let known: NIOLockedValueBox<RecentlyUsed<Key, UpstreamCredential>>

  init(capacity: Int) {
    self.known = NIOLockedValueBox(RecentlyUsed(capacity: capacity))
  }

  /// How many are held.
  var count: Int { self.known.withLockedValue { $0.count } }

  /// What was made for a key and holds at this time, or what `make` makes for it now. Two event loops that find nothing both
  /// make one: that is cheaper than to have one wait.
  func credential(
    for key: Key, at now: NIODeadline, make: () throws(Problem) -> UpstreamCredential
  ) throws(Problem) -> UpstreamCredential {
    if let known = self.known.withLockedValue({ $0.value(for: key) }), now < known.ends { return known }
    let made = try make()
    self.known.withLockedValue { known in
      // Those that have ended and were asked for longest ago make room without being counted out.
      while known.removeOldest(where: { $0.ends <= now }) != nil {}
      known.insert(made, for: key)
    }
    return made
  }
}
