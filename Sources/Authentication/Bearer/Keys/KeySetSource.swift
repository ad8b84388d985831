import NIOConcurrencyHelpers
import NIOCore
import SallyportJOSE

/// Gets an issuer's keys, in a bounded time.
protocol KeySetFetcher: Sendable {
  func fetch() async throws(ProviderFault) -> KeySet
}

/// Where an issuer's keys come from.
protocol IssuerKeys: AnyObject, Sendable {
  /// `nil` until they came for the first time.
  var keys: KeySet? { get }
  /// Begins to fetch them, where they are fetched.
  func start()
  /// A token names a key that is not there, or there are none.
  ///
  /// - Returns: completes on the event loop when there may be others; `nil` where there will be none now
  func fetchForUnknownKey(on eventLoop: any EventLoop) -> EventLoopFuture<Void>?
}

/// The keys of one issuer, as they are now. What ``KeySetStateMachine`` decides is carried out here.
final class KeySetSource: IssuerKeys {
  private struct State {
    var machine: KeySetStateMachine
    var isStarted = false
    var waiting: [EventLoopPromise<Void>] = []
    /// What was last said of it.
    var told: IssuerNews?
  }

  /// How many requests may wait for one fetch. More are refused.
  private static let mostWaiting = 4096

  let issuer: String
  private let state: NIOLockedValueBox<State>
  let fetcher: any KeySetFetcher
  private let clock: @Sendable () -> NIODeadline
  private let news: @Sendable (IssuerNews) -> Void

  init(
    issuer: String, fetcher: any KeySetFetcher, settings: KeySetStateMachine.Settings = .init(),
    clock: @escaping @Sendable () -> NIODeadline, news: @escaping @Sendable (IssuerNews) -> Void
  ) {
    self.issuer = issuer
    self.state = NIOLockedValueBox(State(machine: KeySetStateMachine(settings: settings)))
    self.fetcher = fetcher
    self.clock = clock
    self.news = news
  }

  /// `nil` until they came for the first time.
  var keys: KeySet? { self.state.withLockedValue { $0.machine.keys } }

  /// Fetches at once, and from then on whenever it is time, for as long as somebody holds the source.
  func start() {
    let isFirst = self.state.withLockedValue { state in
      defer { state.isStarted = true }
      return !state.isStarted
    }
    guard isFirst else { return }
    self.tick()
    Task { [weak self] in
      while true {
        try? await Task.sleep(for: .seconds(1))
        guard let source = self else { return }
        source.tick()
      }
    }
  }

  /// Time has passed.
  func tick() {
    let now = self.clock()
    if self.state.withLockedValue({ $0.machine.tick(at: now) }) == .fetch { self.fetch() }
  }

  /// A token names a key that is not there, or there are none.
  ///
  /// - Returns: completes on the event loop when the next fetch is over, well or badly; `nil` where none may begin now
  func fetchForUnknownKey(on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
    // A generation that nobody has begun is begun by its first token.
    self.start()
    let now = self.clock()
    let (action, future) = self.state.withLockedValue { state -> (KeySetStateMachine.UnknownKeyAction, EventLoopFuture<Void>?) in
      guard state.waiting.count < Self.mostWaiting else { return (.refuse, nil) }
      let action = state.machine.unknownKey(at: now)
      guard action != .refuse else { return (.refuse, nil) }
      let promise = eventLoop.makePromise(of: Void.self)
      state.waiting.append(promise)
      return (action, promise.futureResult)
    }
    if action == .fetch { self.fetch() }
    return future
  }

  private func fetch() {
    Task {
      do throws(ProviderFault) {
        let keys = try await self.fetcher.fetch()
        self.land(.keysFetched(issuer: self.issuer, count: keys.keys.count, unusable: keys.unusable)) { $0.fetched(keys, at: $1) }
      } catch {
        self.land(.fetchFailed(issuer: self.issuer, reason: error.description)) { $0.failed(at: $1) }
      }
    }
  }

  private func land(_ news: IssuerNews, _ event: (inout KeySetStateMachine, NIODeadline) -> Void) {
    let now = self.clock()
    let (waiting, isNew) = self.state.withLockedValue { state in
      event(&state.machine, now)
      defer {
        state.waiting = []
        state.told = news
      }
      return (state.waiting, state.told != news)
    }
    if isNew { self.news(news) }
    for promise in waiting { promise.succeed(()) }
  }
}
