import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// A credential that was verified, and when its user is to be looked at again.
struct Belief: Sendable {
  let identity: Identity
  /// `nil` where there is nothing to look at again before the belief ends.
  let renewal: Renewal?
}

/// One look at a user between two verifications of the password, due at half the belief's life.
///
/// It brings new groups and ends the belief of a user who is gone. It never prolongs the belief: only the password does, so
/// that a changed one counts for no longer than the configured lifetime.
final class Renewal: Sendable {
  let user: StoredUser
  let store: any PasswordStore
  /// When the belief ends.
  let ends: NIODeadline
  private let nextLook: NIOLockedValueBox<NIODeadline>

  init(of user: StoredUser, in store: any PasswordStore, due: NIODeadline, ends: NIODeadline) {
    self.user = user
    self.store = store
    self.nextLook = NIOLockedValueBox(due)
    self.ends = ends
  }

  /// Whether the caller is the one who looks; nobody else is told so for a while, in which the look may also fail.
  func claim(at now: NIODeadline) -> Bool {
    self.nextLook.withLockedValue { due in
      guard now >= due else { return false }
      due = now + Self.pause
      return true
    }
  }

  /// How long a look that failed is not repeated.
  private static let pause = TimeAmount.seconds(5)
}
