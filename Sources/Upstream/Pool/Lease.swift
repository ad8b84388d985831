/// The right to use one pooled connection for one request.
///
/// A lease is a number that grows with every user of the connection. Whatever reaches the connection with an old number (a
/// flush that was put off to the end of the tick, a back-pressure call, a cancellation) comes too late and is dropped.
struct Lease: Hashable, Sendable {
  fileprivate let generation: UInt64
}

/// Who uses a connection now: nobody, or one user under one ``Lease``.
///
/// The user is detached before the connection goes back to its pool, so that nothing which happens on the connection
/// afterwards can reach the one before.
struct LeaseSlot<User> {
  private var generation: UInt64 = 0
  private(set) var user: User?

  init() {}

  var isFree: Bool { self.user == nil }

  /// How many users the connection has had, the present one included.
  var uses: UInt64 { self.generation }

  /// Gives the connection to a user; the leases of all users before are worth nothing from here on.
  ///
  /// The slot must be free: two users of one connection would read each other's answers.
  mutating func attach(_ user: User) -> Lease {
    precondition(self.user == nil, "a connection was leased twice")
    self.generation += 1
    self.user = user
    return Lease(generation: self.generation)
  }

  /// Whether the lease is the present user's.
  func isCurrent(_ lease: Lease) -> Bool {
    self.user != nil && lease.generation == self.generation
  }

  /// Takes the connection from its user and returns who that was; `nil` where nobody had it.
  mutating func detach() -> User? {
    defer { self.user = nil }
    return self.user
  }
}
