import NIOCore
import SallyportCore

extension Exchange {
  /// Goes on when an answer is there, if anybody still waits for this one's. Its future must not fail.
  func wait<Value: Sendable>(for answer: Answer<Value>, then: @escaping (Value, Exchange) -> Void) {
    switch answer {
    case .now(let value): then(value, self)
    case .later(let future):
      let bound = NIOLoopBound((self, then), eventLoop: self.stream.eventLoop)
      future.hop(to: self.stream.eventLoop).whenComplete { result in
        let (exchange, then) = bound.value
        guard exchange.awaitsAnswer else { return }
        switch result {
        case .success(let value): then(value, exchange)
        case .failure(let error): exchange.answer(Problem.authenticationFailed.with(detail: "\(error)"))
        }
      }
    }
  }
}
