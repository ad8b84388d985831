public import NIOCore

/// A result that is there, or one that is still being worked for.
///
/// Whatever can wait stands behind a cache: a hit answers `.now` on the event loop without a task, a lock or an
/// allocation, and only a miss costs a future.
public enum Answer<Value: Sendable>: Sendable {
  case now(Value)
  case later(EventLoopFuture<Value>)

  /// The same with another value.
  public func map<Other: Sendable>(_ transform: @escaping @Sendable (Value) -> Other) -> Answer<Other> {
    switch self {
    case .now(let value): .now(transform(value))
    case .later(let future): .later(future.map(transform))
    }
  }

  /// Goes on to another answer.
  public func flatMap<Other: Sendable>(_ next: @escaping @Sendable (Value) -> Answer<Other>) -> Answer<Other> {
    switch self {
    case .now(let value): next(value)
    case .later(let future):
      .later(
        future.flatMap { value in
          switch next(value) {
          case .now(let other): future.eventLoop.makeSucceededFuture(other)
          case .later(let other): other.hop(to: future.eventLoop)
          }
        })
    }
  }

  /// The value, waited for; a failed future becomes `failure`'s value.
  public func get(failure: (any Error) -> Value) async -> Value {
    switch self {
    case .now(let value): return value
    case .later(let future):
      do {
        return try await future.get()
      } catch {
        return failure(error)
      }
    }
  }

  /// Calls `body` with the value, at once if it is there, else on `eventLoop`; a failed future becomes `failure`'s value.
  public func whenThere(
    on eventLoop: any EventLoop, failure: @escaping @Sendable (any Error) -> Value, _ body: @escaping @Sendable (Value) -> Void
  ) {
    switch self {
    case .now(let value): body(value)
    case .later(let future):
      future.hop(to: eventLoop).whenComplete { result in
        switch result {
        case .success(let value): body(value)
        case .failure(let error): body(failure(error))
        }
      }
    }
  }
}
