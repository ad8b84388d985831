import NIOCore
import SallyportConfiguration

/// Decides from looks at the files when they have changed and lie still, so that no half-written one is read.
struct FileWatchStateMachine: Sendable {
  enum Action: Equatable, Sendable {
    /// Nothing has changed; look again after the interval.
    case none
    /// Something has changed, and may be changing still; look again soon.
    case settling
    /// Something has changed and has lain still: read it, and say how the files looked right before
    /// (``read(at:)``).
    case reload
  }

  /// How the files looked when they were read.
  private var known: [String: FileStamp]
  /// How they look while they are other than that, and since when.
  private var changed: (stamps: [String: FileStamp], since: NIODeadline)?

  init(known: [String: FileStamp]) { self.known = known }

  var isSettling: Bool { self.changed != nil }

  /// The files look like this now.
  ///
  /// - Parameter settle: how long they must have lain still
  mutating func observed(_ stamps: [String: FileStamp], at now: NIODeadline, settle: TimeAmount) -> Action {
    guard stamps != self.known else {
      // Somebody has changed something back.
      self.changed = nil
      return .none
    }
    guard let changed = self.changed, changed.stamps == stamps else {
      self.changed = (stamps, now)
      return .settling
    }
    return now - changed.since >= settle ? .reload : .settling
  }

  /// The files are being read, well or not; before, they looked like this. Only another change is news.
  mutating func read(at stamps: [String: FileStamp]) {
    self.known = stamps
    self.changed = nil
  }
}
