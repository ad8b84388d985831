import Logging
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import SallyportPolicy

/// The catalogue of one upstream of kind `kubernetes`, kept as the server describes itself: custom resources and aggregated
/// APIs appear and go while the gateway runs.
///
/// The server's v3 index is asked for, and then the documents whose hashes changed; a server without v3 is asked for
/// `/openapi/v2`, which is one document that whoever aggregates there vouches for. What cannot be fetched or read leaves the
/// last good in its place, document by document. When nothing was ever good there is no catalogue, and policies that need
/// one deny what they cannot decide: the gateway starts without its upstream, and closed.
///
/// Every method may be called on any thread.
final class CatalogueSource: Sendable {
  struct Limits: Sendable {
    /// The time between refreshes. A tenth more or less, by chance, so that replicas do not ask all at once.
    var every: Duration = .seconds(300)
    /// How long one document may take.
    var document: Duration = .seconds(30)
    /// How long a refresh may take as a whole; what is not fetched by then waits for the next.
    var refresh: Duration = .seconds(120)
    /// How much of a document is read.
    var reading = OpenAPILimits()
  }

  /// What a refresh came to.
  enum Outcome: Sendable, Equatable {
    /// The server was asked and everything it lists is in the catalogue.
    case complete(changed: Bool)
    /// Some documents could not be had; the rest is in the catalogue.
    case partial(changed: Bool)
    /// Nothing was learned; the catalogue is what it was.
    case failed
    /// Another refresh is under way.
    case busy
  }

  private struct Held: Sendable {
    let hash: String
    let document: OpenAPIDocument
  }

  private struct State {
    var catalogue: Catalogue?
    var documents: [OpenAPIIndexKey: Held] = [:]
    /// The ETag of the v2 document that the catalogue is; empty where it is made of v3 documents.
    var v2ETag = ""
    var status: CatalogueStatus
    var isRefreshing = false
  }

  private let transport: any DiscoveryTransport
  private let limits: Limits
  private let now: @Sendable () -> NIODeadline
  private let logger: Logger
  private let onChange: @Sendable (Catalogue) -> Void
  private let state: NIOLockedValueBox<State>

  /// - Parameters:
  ///   - upstream: the upstream's name, for the log and the status
  ///   - previous: the source of before, whose last good catalogue this one begins with
  ///   - onChange: hears of every new catalogue, one after another, before ``refresh(within:)`` returns
  init(
    upstream: String, transport: any DiscoveryTransport, limits: Limits = Limits(), logger: Logger,
    now: @escaping @Sendable () -> NIODeadline = { .now() }, continuing previous: CatalogueSource? = nil,
    onChange: @escaping @Sendable (Catalogue) -> Void = { _ in }
  ) {
    self.transport = transport
    self.limits = limits
    self.now = now
    self.onChange = onChange
    var logger = logger
    logger[metadataKey: "upstream"] = "\(upstream)"
    self.logger = logger
    var state = previous?.state.withLockedValue { $0 } ?? State(status: CatalogueStatus(upstream: upstream))
    // What the one before is asking it still asks for itself.
    state.isRefreshing = false
    state.status.wasJustAsked = false
    self.state = NIOLockedValueBox(state)
  }

  /// The last good catalogue; `nil` before the first.
  var catalogue: Catalogue? { self.state.withLockedValue(\.catalogue) }

  var status: CatalogueStatus { self.state.withLockedValue(\.status) }

  /// Refreshes until the task is cancelled: every few minutes, and sooner after a failure, with growing pauses.
  ///
  /// - Parameters:
  ///   - wasAsked: whether the first refresh was made already, so that a pause comes first
  ///   - sleep: waits, in production `Task.sleep`
  func run(
    first wasAsked: Bool = false,
    sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    chance: @Sendable () -> Double = { .random(in: 0.9...1.1) }
  ) async {
    var failures = 0
    var isFirst = true
    while !Task.isCancelled {
      if isFirst, wasAsked {
        failures = self.status.fault == nil ? 0 : 1
      } else {
        switch await self.refresh() {
        case .complete: failures = 0
        case .partial, .failed: failures += 1
        case .busy: break
        }
      }
      isFirst = false
      let pause = failures == 0 ? self.limits.every : min(self.limits.every, .seconds(1 << min(failures - 1, 12)))
      do { try await sleep(pause * chance()) } catch { return }
    }
  }

  /// Asks the server once.
  ///
  /// - Parameter limit: how long it may take; the source's own limit unless told otherwise
  @discardableResult
  func refresh(within limit: Duration? = nil) async -> Outcome {
    let began = self.state.withLockedValue { state -> Bool in
      if state.isRefreshing { return false }
      state.isRefreshing = true
      state.status.refreshes += 1
      state.status.wasJustAsked = true
      return true
    }
    guard began else { return .busy }
    defer { self.state.withLockedValue { $0.isRefreshing = false } }
    let end = self.now() + TimeAmount(min(limit ?? self.limits.refresh, self.limits.refresh))
    do {
      return try await self.ask(until: end)
    } catch {
      let fault = "\(error)"
      self.state.withLockedValue { state in
        state.status.failures += 1
        state.status.fault = fault
      }
      self.logger.warning("the upstream's API description cannot be refreshed", metadata: ["fault": "\(fault)"])
      return .failed
    }
  }

  // MARK: - Asking

  private func ask(until end: NIODeadline) async throws -> Outcome {
    let answer = try await self.transport.get(
      "/openapi/v3", ifNoneMatch: "", atMost: OpenAPIIndex.mostBytes, within: self.timeout(until: end))
    switch answer.status {
    case 200: return try await self.take(OpenAPIIndex(answer.body, name: "/openapi/v3"), until: end)
    case 404, 406: return try await self.askForV2(until: end)
    default: throw UnexpectedAnswer(target: "/openapi/v3", status: answer.status)
    }
  }

  private func take(_ index: OpenAPIIndex, until end: NIODeadline) async throws -> Outcome {
    guard index.entries.contains(where: \.key.isCore) else { throw NoCoreDocument() }
    let before = self.state.withLockedValue(\.documents)
    var after: [OpenAPIIndexKey: Held] = [:]
    var stale: [String] = []
    var fault: String?
    var isReachable = true
    for entry in index.entries {
      let held = before[entry.key]
      if let held, !entry.hash.isEmpty, held.hash == entry.hash {
        after[entry.key] = held
        continue
      }
      do {
        // Once the server is gone there is no use in asking it for fifty more documents.
        guard isReachable, self.now() < end else { throw NotAsked() }
        after[entry.key] = Held(hash: entry.hash, document: try await self.fetch(entry, until: end))
      } catch {
        if let problem = error as? Problem, problem != .discoveryTooLarge, problem != .discoveryTimeout { isReachable = false }
        if fault == nil { fault = "\(entry.key): \(error)" }
        stale.append(entry.key.description)
        after[entry.key] = held
      }
    }
    guard after.contains(where: { $0.key.isCore }) else { throw NoCoreDocument(fault: fault) }
    let isSame = before.count == after.count && after.allSatisfy { key, held in before[key]?.hash == held.hash && !held.hash.isEmpty }
    if isSame {
      self.confirm(stale: stale, fault: fault)
    } else {
      let merged = Catalogue.merging(after.map { ($0.key, $0.value.document) })
      self.report(after.values.map(\.document), index.warnings + merged.warnings)
      self.swap(merged.catalogue, documents: after, v2ETag: "", stale: stale, fault: fault)
    }
    return stale.isEmpty ? .complete(changed: !isSame) : .partial(changed: !isSame)
  }

  private func fetch(_ entry: OpenAPIIndex.Entry, until end: NIODeadline) async throws -> OpenAPIDocument {
    let answer = try await self.transport.get(
      entry.key.target, ifNoneMatch: "", atMost: self.limits.reading.bytes, within: self.timeout(until: end))
    guard answer.status == 200 else { throw UnexpectedAnswer(target: entry.key.target, status: answer.status) }
    let reader = OpenAPIReader(limits: self.limits.reading, faultyOperations: .leaveOut, scope: entry.key, pathPrefix: "")
    return try reader.read(answer.body, name: entry.key.description)
  }

  private func askForV2(until end: NIODeadline) async throws -> Outcome {
    let target = "/openapi/v2"
    let etag = self.state.withLockedValue(\.v2ETag)
    let answer = try await self.transport.get(
      target, ifNoneMatch: etag, atMost: self.limits.reading.bytes, within: self.timeout(until: end))
    if answer.status == 304, !etag.isEmpty {
      self.confirm(stale: [], fault: nil)
      return .complete(changed: false)
    }
    guard answer.status == 200 else { throw UnexpectedAnswer(target: target, status: answer.status) }
    let document = try OpenAPIReader(limits: self.limits.reading, faultyOperations: .leaveOut, pathPrefix: "").read(
      answer.body, name: target)
    self.report([document], [])
    self.swap(document.catalogue, documents: [:], v2ETag: answer.etag, stale: [], fault: nil)
    return .complete(changed: true)
  }

  private func timeout(until end: NIODeadline) -> Duration {
    min(self.limits.document, max(.milliseconds(1), .nanoseconds((end - self.now()).nanoseconds)))
  }

  // MARK: - Keeping

  private func confirm(stale: [String], fault: String?) {
    let now = self.now()
    self.state.withLockedValue { state in
      state.status.confirmed = now
      state.status.stale = stale
      state.status.fault = fault
    }
  }

  private func swap(_ catalogue: Catalogue, documents: [OpenAPIIndexKey: Held], v2ETag: String, stale: [String], fault: String?) {
    let now = self.now()
    let status = self.state.withLockedValue { state in
      state.catalogue = catalogue
      state.documents = documents
      state.v2ETag = v2ETag
      state.status.confirmed = now
      state.status.revision += 1
      state.status.operations = catalogue.operations.count
      state.status.documents = max(1, documents.count)
      state.status.stale = stale
      state.status.fault = fault
      return state.status
    }
    self.logger.notice(
      "the upstream's API description was read",
      metadata: [
        "operations": "\(status.operations)", "documents": "\(status.documents)", "stale": "\(stale.count)",
        "revision": "\(status.revision)",
      ])
    self.onChange(catalogue)
  }

  /// A few warnings by their words, the rest by their number.
  private func report(_ documents: [OpenAPIDocument], _ others: [OpenAPIFault]) {
    let warnings = documents.flatMap(\.warnings) + others
    guard !warnings.isEmpty else { return }
    self.logger.warning(
      "the upstream's API description has faults",
      metadata: [
        "count": "\(warnings.count)", "operationsLeftOut": "\(documents.reduce(0) { $0 + $1.operationsLeftOut })",
        "first": .array(warnings.prefix(5).map { .string($0.description) }),
      ])
  }
}

/// An answer that holds no document.
private struct UnexpectedAnswer: Error, CustomStringConvertible {
  let target: String
  let status: Int

  var description: String {
    switch self.status {
    case 401: "\(self.target) was answered with 401: the upstream does not believe the route's credential"
    case 403: "\(self.target) was answered with 403: grant the gateway's own user the role system:discovery"
    default: "\(self.target) was answered with \(self.status)"
    }
  }
}

/// Without the core group's document a name like `io.k8s.api.core.v1.Secret` could be anybody's.
private struct NoCoreDocument: Error, CustomStringConvertible {
  var fault: String?
  var description: String { "there is no document of api/v1, without which no catalogue is made" + (self.fault.map { ": \($0)" } ?? "") }
}

private struct NotAsked: Error, CustomStringConvertible {
  var description: String { "was not asked for: the server was lost, or the time was up" }
}
