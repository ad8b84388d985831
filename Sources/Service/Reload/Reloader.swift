public import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SallyportConfiguration

/// Keeps a gateway at what its configuration file and the files named there say: looks at them every few seconds, and
/// reads them anew when they have changed, or when it is told to.
///
/// Looking is what works everywhere: notifications (inotify) do not see through the links of a mounted ConfigMap, nor over a
/// network file system.
public final class Reloader: Sendable {
  private let gateway: Gateway
  private let file: String
  private let logger: Logger
  /// File systems block; this thread may.
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let state: NIOLockedValueBox<State>
  private let wakes: AsyncStream<Wake>
  private let wake: AsyncStream<Wake>.Continuation

  private struct State {
    var machine: FileWatchStateMachine
    var files: WatchedFiles
  }

  private enum Wake {
    case time, request
  }

  public init(_ gateway: Gateway, serving served: ServedConfiguration, logger: Logger) {
    self.gateway = gateway
    self.file = served.file
    self.logger = logger
    self.state = NIOLockedValueBox(State(machine: FileWatchStateMachine(known: served.stamps), files: served.files))
    (self.wakes, self.wake) = AsyncStream.makeStream()
    self.thread.start()
  }

  deinit {
    self.thread.shutdownGracefully { _ in }
  }

  /// Has the configuration read anew, whether or not anything has changed.
  public func request() { self.wake.yield(.request) }

  /// Watches until the task is cancelled. One reload at a time.
  public func run() async {
    var next = self.wakeLater()
    for await wake in self.wakes {
      switch wake {
      case .request: await self.reload()
      case .time:
        if self.gateway.configuration.reload.watch, await self.look() == .reload { await self.reload() }
        next = self.wakeLater()
      }
      if Task.isCancelled { break }
    }
    next.cancel()
  }

  /// Looks at the files soon while they change, and after the interval otherwise.
  private func wakeLater() -> Task<Void, Never> {
    let reload = self.gateway.configuration.reload
    let isSettling = self.state.withLockedValue { $0.machine.isSettling }
    // Twice within the time, so that a change is read little later than it may be.
    let pause = isSettling ? min(reload.settle / 2, reload.interval) : reload.interval
    return Task { [wake] in
      try? await Task.sleep(for: pause)
      wake.yield(.time)
    }
  }

  private func look() async -> FileWatchStateMachine.Action {
    let files = self.state.withLockedValue { $0.files }
    let settle = TimeAmount(self.gateway.configuration.reload.settle)
    guard let stamps = try? await self.thread.runIfActive({ files.stamps() }) else { return .none }
    return self.state.withLockedValue { $0.machine.observed(stamps, at: .now(), settle: settle) }
  }

  /// Reads everything and has the gateway go on with it. A fault is logged, shown by `readyz` and counted; the gateway then
  /// goes on as before.
  private func reload() async {
    let files = self.state.withLockedValue { $0.files }
    let before = (try? await self.thread.runIfActive { files.stamps() }) ?? [:]
    let file = self.file
    let read = try? await self.thread.runIfActive { () -> Result<ServedConfiguration, ConfigurationFaults> in
      Result { () throws(ConfigurationFaults) in try ServedConfiguration(file: file) }
    }
    switch read {
    case nil: return
    case .failure(let faults):
      self.state.withLockedValue { $0.machine.read(at: before) }
      self.gateway.reloadFailed(StartFault(faults))
    case .success(let served):
      self.state.withLockedValue { $0 = State(machine: FileWatchStateMachine(known: served.stamps), files: served.files) }
      // What is wrong has been logged, counted and kept for `readyz`.
      try? await self.gateway.reload(to: served.configuration)
    }
  }
}
