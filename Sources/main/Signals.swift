import Foundation
import Glibc

/// The signals that a long-running command hears.
///
/// A handler writes the signal's number into a pipe, and a thread of its own reads it there. That thread also lets the
/// signals through: whatever started the process may have left them blocked in its first thread, and Dispatch's sources
/// lose a signal that the kernel then hands to a thread which Dispatch does not know.
enum Signals {
  enum Received: String, Sendable {
    case terminate = "SIGTERM"
    case interrupt = "SIGINT"
    case hangUp = "SIGHUP"

    fileprivate var number: Int32 {
      switch self {
      case .terminate: SIGTERM
      case .interrupt: SIGINT
      case .hangUp: SIGHUP
      }
    }
  }

  /// Where the handler writes. Set once, before there is a handler that reads it: a handler may take no lock.
  nonisolated(unsafe) private static var writeEnd: Int32 = -1

  /// From the call on these signals do nothing by themselves; each that comes is an element of the stream. Called once for
  /// each process. Signals of one kind that come at once may be one element, as the kernel keeps them.
  static func stream(of signals: [Received]) -> AsyncStream<Received> {
    AsyncStream { continuation in
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else {
        // Without descriptors nothing else will start either, and the signals keep their ordinary effect.
        return continuation.finish()
      }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      // A handler must not wait: signals that nobody reads for so long are as good as those that are in the pipe already.
      _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
      self.writeEnd = ends[1]
      for received in signals { self.handle(received.number) }
      let readEnd = ends[0]
      Thread.detachNewThread { self.read(readEnd, signals, into: continuation) }
    }
  }

  private static func handle(_ number: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      let error = errno
      var byte = UInt8(truncatingIfNeeded: number)
      _ = write(Signals.writeEnd, &byte, 1)
      errno = error
    }
    action.sa_flags = SA_RESTART
    sigaction(number, &action, nil)
  }

  private static func read(_ readEnd: Int32, _ signals: [Received], into continuation: AsyncStream<Received>.Continuation) {
    var passed = sigset_t()
    sigemptyset(&passed)
    for received in signals { sigaddset(&passed, received.number) }
    pthread_sigmask(SIG_UNBLOCK, &passed, nil)
    while true {
      var byte: UInt8 = 0
      switch Glibc.read(readEnd, &byte, 1) {
      case 1: signals.first { $0.number == Int32(byte) }.map { _ = continuation.yield($0) }
      case -1 where errno == EINTR: continue
      default: return continuation.finish()
      }
    }
  }

  /// Waits for one that asks the process to end.
  static func end() async {
    for await _ in self.stream(of: [.terminate, .interrupt]) { return }
  }
}
