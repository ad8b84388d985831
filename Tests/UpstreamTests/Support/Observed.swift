import NIOConcurrencyHelpers

/// A value that tests change on any thread and wait on: no polling, no sleeping.
final class Observed<Value: Sendable>: Sendable {
  private struct Waiter: Sendable {
    let condition: @Sendable (Value) -> Bool
    let continuation: CheckedContinuation<Value, Never>
  }

  private struct State: Sendable {
    var value: Value
    var waiters: [Waiter] = []
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

  /// Waits until the value satisfies the condition; a test that waits in vain is ended by its time limit.
  @discardableResult
  func reaches(_ condition: @escaping @Sendable (Value) -> Bool) async -> Value {
    await withCheckedContinuation { continuation in
      let already: Value? = self.state.withLockedValue { state in
        if condition(state.value) { return state.value }
        state.waiters.append(Waiter(condition: condition, continuation: continuation))
        return nil
      }
      if let already { continuation.resume(returning: already) }
    }
  }
}
