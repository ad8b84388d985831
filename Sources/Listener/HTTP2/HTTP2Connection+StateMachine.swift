import NIOCore
import NIOHTTP2

/// What is decided about an HTTP/2 connection as a whole: how long it may rest, how it is brought to its end, what it is
/// not forgiven.
struct HTTP2ConnectionStateMachine {
  /// Requests that could not be read, after which a connection takes no more of them.
  static let mostRefused = 50

  private enum State {
    case open
    /// The client was told which stream is the last, and perhaps has not heard of it.
    case announced(since: NIODeadline)
    /// It has heard of it; the last streams end.
    case ending
    case closed
  }

  private var state = State.open
  private let timeouts: ListenerTimeouts
  private var openStreams = 0
  private var lastStream = HTTP2StreamID.rootStream
  private var refused = 0
  /// Since when there is no stream.
  private var idleSince: NIODeadline?
  private var isFirst = true
  /// Since when the client is at the preface, or at a field section.
  private var headSince: NIODeadline?

  init(timeouts: ListenerTimeouts, now: NIODeadline) {
    self.timeouts = timeouts
    self.idleSince = now
  }

  enum Action: Equatable {
    case none
    /// Say which stream is the last, and ask for a sign that this was heard.
    case announceEnd(lastStream: HTTP2StreamID)
    case close
    /// A head was begun and not ended.
    case cutHalfAHead
  }

  mutating func streamOpened(_ id: HTTP2StreamID) {
    self.openStreams += 1
    self.lastStream = max(self.lastStream, id)
    self.idleSince = nil
    self.isFirst = false
  }

  mutating func streamClosed(now: NIODeadline) -> Action {
    self.openStreams -= 1
    guard self.openStreams == 0 else { return .none }
    self.idleSince = now
    guard case .ending = self.state else { return .none }
    self.state = .closed
    return .close
  }

  /// A request could not be read.
  mutating func requestRefused(now: NIODeadline) -> Action {
    self.refused += 1
    return self.refused == Self.mostRefused ? self.drain(now: now) : .none
  }

  /// The connection is to end soon, with nothing lost by it: a client repeats elsewhere what it had sent behind the last
  /// stream (RFC 9113 section 6.8). Closing waits until the client has heard of it, since a connection that is closed
  /// while something is on its way to it takes along what the client had still to read.
  ///
  /// The two steps that the section recommends are not possible: the library takes no new stream from the first GOAWAY
  /// on, whichever stream it names.
  mutating func drain(now: NIODeadline) -> Action {
    guard case .open = self.state else { return .none }
    self.state = .announced(since: now)
    return .announceEnd(lastStream: self.lastStream)
  }

  /// Whether a stream is behind the one that the client was told is the last.
  func cameTooLate(_ id: HTTP2StreamID) -> Bool {
    switch self.state {
    case .announced, .ending: id > self.lastStream
    case .open, .closed: false
    }
  }

  /// The client has heard that the connection ends.
  mutating func announcementHeard() -> Action {
    guard case .announced = self.state else { return .none }
    guard self.openStreams == 0 else {
      self.state = .ending
      return .none
    }
    self.state = .closed
    return .close
  }

  /// Bytes came, behind which the client is within a head or not.
  mutating func received(isInsideHead: Bool, now: NIODeadline) {
    if !isInsideHead {
      self.headSince = nil
    } else if self.headSince == nil {
      self.headSince = now
    }
  }

  /// The connection is gone, or as good as that.
  ///
  /// - Returns: whether it was still there
  mutating func ended() -> Bool {
    if case .closed = self.state { return false }
    self.state = .closed
    return true
  }

  // MARK: Time

  /// When patience with the client ends.
  var deadline: NIODeadline? {
    let own: NIODeadline? =
      switch self.state {
      case .closed: nil
      case .announced(let since): since + self.timeouts.linger
      case .open where self.isFirst: self.idleSince.map { $0 + self.timeouts.head }
      // Whoever has begun a head rests no more, and has the time of a head for it.
      case .open: self.headSince == nil ? self.idleSince.map { $0 + self.timeouts.idle } : nil
      case .ending: nil
      }
    guard case .closed = self.state else {
      let head = self.headSince.map { $0 + self.timeouts.head }
      return own.map { own in head.map { min($0, own) } ?? own } ?? head
    }
    return nil
  }

  /// Time has passed.
  mutating func timerFired(now: NIODeadline) -> Action {
    guard let deadline = self.deadline, deadline <= now else { return .none }
    if let since = self.headSince, since + self.timeouts.head <= now {
      self.state = .closed
      return .cutHalfAHead
    }
    switch self.state {
    // The time of the first head began with the connection, somewhat before its first byte came.
    case .open where self.headSince != nil:
      self.state = .closed
      return .cutHalfAHead
    case .open: return self.drain(now: now)
    case .announced: return self.announcementHeard()
    case .ending, .closed: return .none
    }
  }
}
