import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// What was found out a moment ago of who may impersonate whom.
final class ImpersonationReviews: Sendable {
  /// As long as kube-apiserver itself would believe a webhook's refusal at the least; a kubectl command asks a few times.
  private static let lifetime = TimeAmount.seconds(10)

  private struct Key: Hashable, Sendable {
    let identity: Identity
    /// Everything that is asked for, each part behind its length: by bytes, as the server compares.
    let wanted: [UInt8]

    static func == (left: Self, right: Self) -> Bool { left.identity === right.identity && left.wanted == right.wanted }
    func hash(into hasher: inout Hasher) {
      hasher.combine(ObjectIdentifier(self.identity))
      hasher.combine(self.wanted)
    }
  }

  private struct Review: Sendable {
    let isAllowed: Bool
    let ends: NIODeadline
  }

  private let reviewer: any ImpersonationReviewer
  private let clock: CredentialClock
  private let known = NIOLockedValueBox(RecentlyUsed<Key, Review>(capacity: 1024))

  init(_ reviewer: any ImpersonationReviewer, clock: CredentialClock) {
    self.reviewer = reviewer
    self.clock = clock
  }

  /// Whether an identity may impersonate; a failed future where that cannot be found out.
  func allows(_ wanted: RequestedImpersonation, to identity: Identity, on eventLoop: any EventLoop) -> Answer<Bool> {
    let key = Key(identity: identity, wanted: Self.bytes(of: wanted))
    let now = self.clock.monotonic()
    if let known = self.known.withLockedValue({ $0.value(for: key) }), now < known.ends { return .now(known.isAllowed) }
    return .later(
      eventLoop.makeFutureWithTask {
        let isAllowed = try await self.reviewer.allows(ImpersonationDemand.all(of: wanted), to: identity)
        let ends = self.clock.monotonic() + Self.lifetime
        self.known.withLockedValue { _ = $0.insert(Review(isAllowed: isAllowed, ends: ends), for: key) }
        return isAllowed
      })
  }

  private static func bytes(of wanted: RequestedImpersonation) -> [UInt8] {
    var bytes: [UInt8] = []
    func add(_ text: String) {
      withUnsafeBytes(of: UInt64(text.utf8.count).bigEndian) { bytes += $0 }
      bytes += Array(text.utf8)
    }
    func add(_ texts: [String]) {
      withUnsafeBytes(of: UInt64(texts.count).bigEndian) { bytes += $0 }
      texts.forEach(add)
    }
    add(wanted.user)
    add(wanted.uid.map { [$0] } ?? [])
    add(wanted.groups)
    for attribute in wanted.extra { add([attribute.key] + attribute.values) }
    return bytes
  }
}
