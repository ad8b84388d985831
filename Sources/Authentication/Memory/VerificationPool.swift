import NIOConcurrencyHelpers
import NIOPosix

import class Foundation.ProcessInfo

/// The threads on which passwords are hashed: few, and with a queue that ends.
///
/// A verification takes milliseconds to seconds of a core by intent. On the event loops it would stop every client of
/// the loop; on threads without a bound, a flood of wrong passwords would take the machine. So there are half as many
/// threads as cores, a bounded number of verifications waits for them, and the next is refused at once with
/// `authenticationBusy`.
final class VerificationPool: Sendable {
  /// The most verifications that run or wait.
  let capacity: Int
  private let threads: NIOThreadPool
  private let admitted = NIOLockedValueBox(0)
  private let begun = NIOLockedValueBox<UInt64>(0)

  /// How many verifications run or wait, and how many there were.
  var counts: (running: Int, begun: UInt64) { (self.admitted.withLockedValue { $0 }, self.begun.withLockedValue { $0 }) }

  /// - Parameters:
  ///   - threads: how many passwords are verified at a time; half the cores unless given
  ///   - waiting: how many more may wait
  init(threads: Int? = nil, waiting: Int = 64) {
    let count = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount / 2)
    self.capacity = count + max(0, waiting)
    self.threads = NIOThreadPool(numberOfThreads: count)
    self.threads.start()
  }

  deinit {
    // The threads are joined elsewhere: the last reference may well be let go by one of them.
    self.threads.shutdownGracefully { _ in }
  }

  /// Runs work on a thread of the pool.
  ///
  /// - Returns: whether it will run; not where too much runs and waits already
  func run(_ work: @escaping @Sendable () -> Void) -> Bool {
    let isAdmitted = self.admitted.withLockedValue { admitted in
      guard admitted < self.capacity else { return false }
      admitted += 1
      return true
    }
    guard isAdmitted else { return false }
    self.begun.withLockedValue { $0 += 1 }
    // The pool runs as long as this object lives, and every item keeps it alive: no item is ever cancelled.
    self.threads.submit { _ in
      work()
      self.admitted.withLockedValue { $0 -= 1 }
    }
    return true
  }
}
