import NIOConcurrencyHelpers
import NIOCore

import struct Foundation.Date

/// The log of a pod: made-up lines, and with `follow` a new one every 200 ms up to a bound.
extension APIServer {
  func log(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    let pod = try self.existing(route)
    let containers = (pod[["spec", "containers"]]?.array ?? []).compactMap { $0["name"]?.string }
    if let wanted = exchange.query["container"], !wanted.isEmpty, !containers.contains(wanted) {
      throw .badRequest("container \(wanted) is not valid for pod \(route.name)")
    }
    if containers.count > 1, (exchange.query["container"] ?? "").isEmpty {
      throw .badRequest(
        "a container name must be specified for pod \(route.name), choose one of: [\(containers.joined(separator: " "))]")
    }
    func number(_ key: String) throws(APIError) -> Int? {
      guard let text = exchange.query[key], !text.isEmpty else { return nil }
      guard let number = Int(text), number >= 0 else {
        throw APIError(
          422, "Invalid", "PodLogOptions \"\" is invalid: \(key): Invalid value: \(text.quoted): must be greater than or equal to 0")
      }
      return number
    }
    let log = PodLog(pod: route.name, showsTime: exchange.query.flag("timestamps"))
    let first = PodLog.initialLines - min(try number("tailLines") ?? PodLog.initialLines, PodLog.initialLines)
    var text = (first..<PodLog.initialLines).flatMap { log.line($0) }
    if let limit = try number("limitBytes") { text = Array(text.prefix(limit)) }
    guard exchange.query.flag("follow"), try number("limitBytes") == nil else {
      return APIResponse(status: 200, contentType: "text/plain", body: .bytes(text))
    }
    return APIResponse(status: 200, contentType: "text/plain", body: .stream(FollowedLog(log, initial: text)))
  }
}

/// The lines of one pod's log.
struct PodLog: Sendable {
  /// How many lines are there from the start.
  static let initialLines = 10
  /// Where a followed log ends.
  static let lastLine = 60
  static let interval = TimeAmount.milliseconds(200)

  let pod: String
  let showsTime: Bool

  func line(_ number: Int) -> [UInt8] {
    Array("\(self.showsTime ? Timestamp.text(Date()) + " " : "")\(self.pod) served request \(number)\n".utf8)
  }
}

/// A log that goes on while somebody listens.
final class FollowedLog: BodyStream {
  private struct State {
    var waiting: [UInt8]
    var next = PodLog.initialLines
    var isAsleep = false
    var task: RepeatedTask?
  }

  private let log: PodLog
  private let state: NIOLockedValueBox<State>

  init(_ log: PodLog, initial: [UInt8]) {
    self.log = log
    self.state = NIOLockedValueBox(State(waiting: initial))
  }

  func start(on eventLoop: any EventLoop, wake: @escaping @Sendable () -> Void) {
    let task = eventLoop.scheduleRepeatedTask(initialDelay: PodLog.interval, delay: PodLog.interval) { _ in
      let isAsleep = self.state.withLockedValue { state in
        // A client that does not read gets no more lines than it has room for: the log is bounded.
        if state.next < PodLog.lastLine { state.waiting += self.log.line(state.next) }
        state.next += 1
        defer { state.isAsleep = false }
        return state.isAsleep
      }
      if isAsleep { wake() }
    }
    self.state.withLockedValue { $0.task = task }
  }

  func next() -> BodyPiece {
    self.state.withLockedValue { state in
      if !state.waiting.isEmpty {
        defer { state.waiting = [] }
        return .bytes(state.waiting)
      }
      if state.next >= PodLog.lastLine { return .end }
      state.isAsleep = true
      return .later
    }
  }

  func stop() { self.state.withLockedValue { $0.task }?.cancel() }
}
