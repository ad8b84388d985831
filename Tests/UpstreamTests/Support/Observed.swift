import NIOConcurrencyHelpers

/// A value that tests change on any thread and wait on: no polling, no sleeping.
final class Observed<Value: Sendable>: Sendable {
  private struct Waiter: Sendable {
    let number: Int
    let condition: @Sendable (Value) -> Bool
    let continuation: CheckedContinuation<Value, Never>
  }

  private struct State: Sendable {
    var value: Value
    var waiters: [Waiter] = []
    var waiterCount = 0
  }

  private let state: NIOLockedValueBox<State>

  init(_ value: Value) {
    self.state = NIOLockedValueBox(State(value: value))
  }

  var value: Value { self.state.withLockedValue(\.value) }

  func update(_ change: (inout Value) -> Void) {
    let (value, ready) = self.state.withLockedValue { state in
      change(&state.value)
      let value = state.value
      let ready = state.waiters.filter { $0.condition(value) }
      state.waiters.removeAll { $0.condition(value) }
      return (value, ready)
    }
    for waiter in ready { waiter.continuation.resume(returning: value) }
  }

  /// Waits until the value satisfies the condition. A test that waits in vain is cancelled at its time limit; then this returns
  /// the value as it is, for what is expected of it to fail.
  @discardableResult
  func reaches(_ condition: @escaping @Sendable (Value) -> Bool) async -> Value {
    let number = self.state.withLockedValue { state in
      state.waiterCount += 1
      return state.waiterCount
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let already: Value? = self.state.withLockedValue { state in
          // Cancelled before there was anybody to wake: the handler below found nobody.
          if condition(state.value) || Task.isCancelled { return state.value }
          state.waiters.append(Waiter(number: number, condition: condition, continuation: continuation))
          return nil
        }
        if let already { continuation.resume(returning: already) }
      }
    } onCancel: {
      let (value, waiter) = self.state.withLockedValue { state in
        let index = state.waiters.firstIndex { $0.number == number }
        return (state.value, index.map { state.waiters.remove(at: $0) })
      }
      waiter?.continuation.resume(returning: value)
    }
  }
}
