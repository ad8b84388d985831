/// How long sessions last and how many there may be.
public struct SessionLimits: Sendable, Hashable {
  /// A session that nobody uses for so long is over.
  public var idle: Duration
  /// No session lasts longer, however much it is used.
  public var lifetime: Duration
  /// How many sessions one user may have: another one ends the one that was used the longest time ago.
  public var perUser: Int
  /// How many there may be at all: then nobody else signs in until some have ended.
  public var total: Int

  public init(idle: Duration = .seconds(1800), lifetime: Duration = .seconds(43_200), perUser: Int = 20, total: Int = 10_000) {
    self.idle = idle
    self.lifetime = lifetime
    self.perUser = perUser
    self.total = total
  }
}

extension Duration {
  /// In seconds, as `Date` counts them.
  var seconds: Double { self / .seconds(1) }
}
