/// Decides what a reply means: to the greeting, or to the oldest command that has none. Replies come in the order of the
/// commands and say nothing of which they are for, so that a connection on which one is missing is of no use any more.
///
/// A value without I/O: it counts, and says what is to be done.
struct RedisConnectionStateMachine {
  private enum State {
    case greeting(left: Int)
    case ready
    case closed
  }

  enum Action: Equatable {
    case nothing
    /// The greeting is over: commands may be sent.
    case becomeReady
    /// The reply is the oldest command's.
    case deliver
    /// The connection is of no use any more.
    case close(RedisFault)
  }

  /// How many commands may wait for replies on one connection.
  static let mostWaiting = 8192

  private var state: State
  private(set) var waiting = 0

  init(greeting: Int) { self.state = greeting > 0 ? .greeting(left: greeting) : .ready }

  var isReady: Bool {
    if case .ready = self.state { true } else { false }
  }

  /// A command is to be sent.
  ///
  /// - Returns: whether it may be: the connection is ready, and not too many wait
  mutating func send() -> Bool {
    guard self.isReady, self.waiting < Self.mostWaiting else { return false }
    self.waiting += 1
    return true
  }

  mutating func received(_ reply: RESPValue) -> Action {
    switch self.state {
    case .closed: return .nothing
    case .greeting(let left):
      if case .error(let text) = reply {
        self.state = .closed
        return .close(RedisFault("the server lets nobody in: \(RedisFault.kind(of: text))"))
      }
      self.state = left > 1 ? .greeting(left: left - 1) : .ready
      return left > 1 ? .nothing : .becomeReady
    case .ready:
      guard self.waiting > 0 else {
        self.state = .closed
        return .close(RedisFault("the server answers what nobody asked"))
      }
      self.waiting -= 1
      return .deliver
    }
  }

  /// The connection ended, or is ended.
  ///
  /// - Returns: whether it is now for the first time
  mutating func close() -> Bool {
    if case .closed = self.state { return false }
    self.state = .closed
    return true
  }
}
