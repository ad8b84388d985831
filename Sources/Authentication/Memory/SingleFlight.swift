import NIOConcurrencyHelpers
import NIOCore

/// Lets those who ask the same at the same time wait for one answer.
///
/// A client that opens ten connections with one password costs one verification. Whoever is told ``Role/leads`` finds the
/// answer and calls ``land(_:with:)``, on any thread and in every case.
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  enum Role: Sendable {
    case leads(EventLoopFuture<Value>)
    case joins(EventLoopFuture<Value>)
  }

  private let waiting = NIOLockedValueBox<[Key: [EventLoopPromise<Value>]]>([:])

  /// Joins the flight for this key, or starts one. The future completes on `eventLoop`.
  func board(_ key: Key, on eventLoop: any EventLoop) -> Role {
    let promise = eventLoop.makePromise(of: Value.self)
    let isFirst = self.waiting.withLockedValue { waiting in
      waiting[key, default: []].append(promise)
      return waiting[key]?.count == 1
    }
    return isFirst ? .leads(promise.futureResult) : .joins(promise.futureResult)
  }

  /// Gives everybody who waits for this key the answer; who asks from now on starts a new flight.
  func land(_ key: Key, with value: Value) {
    for promise in self.waiting.withLockedValue({ $0.removeValue(forKey: key) ?? [] }) { promise.succeed(value) }
  }
}
