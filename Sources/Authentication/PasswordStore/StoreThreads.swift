import Dispatch
import Glibc
import NIOConcurrencyHelpers

import class Foundation.Thread

/// The threads of one password store, each with something of its own, such as a connection, that no other thread touches.
///
/// They are few, and the queue before them ends: what blocks in one store blocks this store alone, and no longer than its
/// own timeouts allow.
public final class StoreThreads<State>: Sendable {
  private let queue: WorkQueue<State>

  /// - Parameters:
  ///   - name: what a debugger shows
  ///   - count: how many threads
  ///   - waiting: how much work may wait for one of them
  ///   - makeState: called on each thread before its first work; what it gives stays on that thread
  public init(name: String, count: Int, waiting: Int, makeState: @escaping @Sendable () -> State) {
    let queue = WorkQueue<State>(capacity: count + waiting, threads: count)
    for _ in 0..<count {
      let thread = Thread {
        Self.blockBrokenPipes()
        queue.serve(makeState())
      }
      thread.name = name
      thread.start()
    }
    self.queue = queue
  }

  /// C libraries write to sockets whose other end may have gone; on these threads that is an error of the call and no signal
  /// that ends the process.
  private static func blockBrokenPipes() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  // The threads finish what waits, so that nobody is left without an answer, and end.
  deinit { self.queue.close() }

  /// Runs work on one of the threads.
  ///
  /// - Returns: whether it will run; not where too much runs and waits already
  public func run(_ work: @escaping @Sendable (State) -> Void) -> Bool { self.queue.add(work) }
}

private final class WorkQueue<State>: Sendable {
  private struct Contents {
    var waiting: [@Sendable (State) -> Void] = []
    var first = 0
    /// How much waits or runs.
    var admitted = 0
    var isClosed = false
  }

  private let capacity: Int
  private let threads: Int
  private let contents = NIOLockedValueBox(Contents())
  private let signal = DispatchSemaphore(value: 0)

  init(capacity: Int, threads: Int) {
    self.capacity = capacity
    self.threads = threads
  }

  func add(_ work: @escaping @Sendable (State) -> Void) -> Bool {
    let isAdmitted = self.contents.withLockedValue { contents in
      guard contents.admitted < self.capacity else { return false }
      contents.admitted += 1
      contents.waiting.append(work)
      return true
    }
    if isAdmitted { self.signal.signal() }
    return isAdmitted
  }

  func close() {
    self.contents.withLockedValue { $0.isClosed = true }
    for _ in 0..<self.threads { self.signal.signal() }
  }

  func serve(_ state: State) {
    while true {
      self.signal.wait()
      let (work, isEnd) = self.contents.withLockedValue { contents -> ((@Sendable (State) -> Void)?, Bool) in
        guard contents.first < contents.waiting.count else { return (nil, contents.isClosed) }
        defer {
          contents.first += 1
          // Moved together now and then, so that taking the first costs nothing.
          if contents.first == contents.waiting.count || contents.first > 64 {
            contents.waiting.removeFirst(contents.first)
            contents.first = 0
          }
        }
        return (contents.waiting[contents.first], false)
      }
      if isEnd { return }
      work?(state)
      if work != nil { self.contents.withLockedValue { $0.admitted -= 1 } }
    }
  }
}
