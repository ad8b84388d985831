public import struct Foundation.Date

/// An issuer's keys in the order in which they sign. A value without I/O: the time is told.
///
/// ```
///            published            signs              published
/// key 1 ──────────────┬──────────────────────┬─────────────────────┐
/// key 2               └ published (a while) ─┴ signs …             │
///                                                                  └ its last token has ended: key 1 is gone
/// ```
///
/// A key is known to verifiers before it signs, because they keep the key set for a while, and after it has signed its last
/// token until that has ended. Which key signs follows from the times that the keys were made with, so that replicas which
/// see the same keys agree without talking to each other.
public struct KeyRing: Sendable {
  /// A key and the time from which on it signs.
  public struct Entry: Sendable {
    public let key: SigningKey
    public let begins: Date

    public init(_ key: SigningKey, begins: Date) {
      self.key = key
      self.begins = begins
    }
  }

  /// What a key is for at a time.
  public enum Phase: Sendable, Hashable {
    /// Published, and signs nothing yet.
    case next
    case signing
    /// Signs nothing any more; published until then.
    case retiring(until: Date)
    /// Not published any more.
    case dead
  }

  /// How much longer than a token lasts its key is published: clocks differ, and a replica sees a new key late.
  public static let slack = 120.0

  /// By the times at which they begin.
  public let entries: [Entry]
  /// How long a token lasts at most, in seconds.
  public let tokenLifetime: Double

  public init(_ entries: [Entry], tokenLifetime: Double) {
    self.entries = entries.sorted { ($0.begins, $0.key.id) < ($1.begins, $1.key.id) }
    self.tokenLifetime = tokenLifetime
  }

  /// The key that signs at a time: the one that began last. Before any has begun it is the first, so that a clock that is
  /// set back does not leave an issuer without a key.
  public func signer(at now: Date) -> SigningKey? {
    (self.entries.last { $0.begins <= now } ?? self.entries.first)?.key
  }

  public func phase(ofEntry index: Int, at now: Date) -> Phase {
    if self.entries[index].key.id == self.signer(at: now)?.id { return .signing }
    if self.entries[index].begins > now { return .next }
    // It ended when the one behind it began.
    let end = self.entries[(index + 1)...].first?.begins ?? now
    let gone = end.addingTimeInterval(self.tokenLifetime + Self.slack)
    return gone > now ? .retiring(until: gone) : .dead
  }

  /// The keys that verifiers are to know, the signing one first.
  public func published(at now: Date) -> [SigningKey] {
    let alive = self.entries.indices.filter { self.phase(ofEntry: $0, at: now) != .dead }.map { self.entries[$0].key }
    return alive.filter { $0.id == self.signer(at: now)?.id } + alive.filter { $0.id != self.signer(at: now)?.id }
  }
}
