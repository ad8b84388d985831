import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import SallyportPolicy
import Testing

@testable import SallyportService

@Suite struct CatalogueSourceTests {
  private let clock = HandClock()
  private let server = ScriptedDiscovery([
    "api/v1": ("1", ["/api/v1/pods", "/api/v1/secrets"]), "apis/apps/v1": ("1", ["/apis/apps/v1/deployments"]),
    "version": ("1", ["/version/"]),
  ])
  private let changes = NIOLockedValueBox<[[String]]>([])

  private func source(_ limits: CatalogueSource.Limits = .init()) -> CatalogueSource {
    CatalogueSource(upstream: "cluster", transport: self.server, limits: limits, logger: silent, now: self.clock.now) { catalogue in
      self.changes.withLockedValue { $0.append(catalogue.operations.map(\.path)) }
    }
  }

  private func paths(_ source: CatalogueSource) -> Set<String>? { (source.catalogue?.operations.map(\.path)).map(Set.init) }

  private static let all: Set = ["/api/v1/pods", "/api/v1/secrets", "/apis/apps/v1/deployments", "/version/"]

  @Test func onlyDocumentsWhoseHashChangedAreFetchedAgain() async {
    let source = self.source()
    #expect(source.catalogue == nil && !source.status.isLoaded && source.status.age() == nil)
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.server.takeAsked() == ["/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/version", "/openapi/v3/apis/apps/v1"])
    #expect(self.paths(source) == Self.all)
    #expect(source.status.operations == 4 && source.status.documents == 3 && source.status.revision == 1)

    #expect(await source.refresh() == .complete(changed: false))
    #expect(self.server.takeAsked() == ["/openapi/v3"])

    self.server.change { $0.documents["apis/apps/v1"] = ("2", ["/apis/apps/v1/statefulsets"]) }
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.server.takeAsked() == ["/openapi/v3", "/openapi/v3/apis/apps/v1"])
    #expect(self.paths(source) == ["/api/v1/pods", "/api/v1/secrets", "/apis/apps/v1/statefulsets", "/version/"])
    #expect(self.changes.withLockedValue(\.count) == 2)
    #expect(source.status.revision == 2)
  }

  @Test func customResourcesComeAndGo() async {
    let source = self.source()
    await source.refresh()
    self.server.change { $0.documents["apis/example.org/v1"] = ("1", ["/apis/example.org/v1/things"]) }
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.paths(source) == Self.all.union(["/apis/example.org/v1/things"]))
    self.server.change { $0.documents["apis/example.org/v1"] = nil }
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.paths(source) == Self.all)
  }

  @Test func aServerThatIsDownLeavesTheLastGoodCatalogueAndItsAgeGrows() async {
    let source = self.source()
    await source.refresh()
    self.clock.advance(by: .minutes(5))
    #expect(source.status.age(at: self.clock.now()) == .minutes(5))
    self.server.change { $0.isDown = true }
    #expect(await source.refresh() == .failed)
    #expect(self.paths(source) == Self.all)
    #expect(source.status.age(at: self.clock.now()) == .minutes(5))
    #expect(source.status.failures == 1)
    #expect(source.status.fault?.contains("down") == true)

    self.server.change { $0.isDown = false }
    #expect(await source.refresh() == .complete(changed: false))
    #expect(source.status.age(at: self.clock.now()) == .zero)
    #expect(source.status.fault == nil)
    #expect(self.changes.withLockedValue(\.count) == 1)
  }

  @Test func withoutAServerFromTheStartThereIsNoCatalogueUntilThereIsOne() async {
    self.server.change { $0.isDown = true }
    let source = self.source()
    #expect(await source.refresh() == .failed)
    #expect(source.catalogue == nil)
    #expect(!source.status.isLoaded)
    self.server.change { $0.isDown = false }
    #expect(await source.refresh() == .complete(changed: true))
    #expect(source.status.isLoaded)
  }

  @Test func aDocumentThatCannotBeHadLeavesItsLastGoodAndIsAskedForAgain() async {
    let source = self.source()
    await source.refresh()
    self.server.change {
      $0.documents["apis/apps/v1"] = ("2", ["/apis/apps/v1/new"])
      $0.documents["version"] = ("2", ["/version/", "/version/more"])
      $0.answers["/openapi/v3/apis/apps/v1"] = .text("service unavailable", status: 503)
    }
    #expect(await source.refresh() == .partial(changed: true))
    #expect(self.paths(source) == Self.all.union(["/version/more"]))
    #expect(source.status.stale == ["apis/apps/v1"])
    #expect(source.status.fault?.contains("503") == true)
    self.server.change { $0.answers["/openapi/v3/apis/apps/v1"] = .text("{broken") }
    #expect(await source.refresh() == .partial(changed: false))
    self.server.change { $0.answers = [:] }
    _ = self.server.takeAsked()
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.server.takeAsked() == ["/openapi/v3", "/openapi/v3/apis/apps/v1"])
    #expect(source.status.stale == [] && source.status.fault == nil)
    #expect(self.paths(source)?.contains("/apis/apps/v1/new") == true)
  }

  @Test func aServerThatIsLostMidwayIsNotAskedForTheRest() async {
    self.server.change { $0.failures["/openapi/v3/version"] = Problem("lost", blame: .upstream, status: 502, message: "lost") }
    let source = self.source()
    #expect(await source.refresh() == .partial(changed: true))
    #expect(self.server.takeAsked() == ["/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/version"])
    #expect(self.paths(source) == ["/api/v1/pods", "/api/v1/secrets"])
    #expect(source.status.stale == ["version", "apis/apps/v1"])
  }

  @Test func aDocumentThatIsTooLargeOrTooSlowHoldsUpNoOther() async {
    for problem in [Problem.discoveryTooLarge, .discoveryTimeout] {
      self.server.change { $0.failures["/openapi/v3/version"] = problem }
      let source = self.source()
      #expect(await source.refresh() == .partial(changed: true))
      #expect(self.paths(source) == Self.all.subtracting(["/version/"]))
    }
  }

  @Test func anAggregatedAPIDoesNotDescribeTheCoreGroup() async {
    self.server.change {
      $0.documents["apis/evil.example/v1"] = ("1", ["/api/v1/secrets", "/apis/evil.example/v1/x", "/api/v1/innocent"])
    }
    let source = self.source()
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.paths(source) == Self.all.union(["/apis/evil.example/v1/x"]))
  }

  @Test func withoutTheCoreGroupsDocumentNoCatalogueIsMade() async {
    self.server.change { $0.failures["/openapi/v3/api/v1"] = .discoveryTimeout }
    let source = self.source()
    #expect(await source.refresh() == .failed)
    #expect(source.catalogue == nil)
    self.server.change {
      $0.failures = [:]
      $0.documents["api/v1"] = nil
    }
    #expect(await source.refresh() == .failed)
    #expect(source.status.fault?.hasPrefix("there is no document of api/v1") == true)
  }

  @Test func aServerWithoutV3IsAskedForV2AndOnlyForAnotherOne() async {
    self.server.change {
      $0.answers["/openapi/v3"] = .text("404 page not found", status: 404)
      $0.answers["/openapi/v2"] = .document(["/api/v1/pods", "/apis/example.org/v1/things"], etag: "\"a\"")
    }
    let source = self.source()
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.server.takeAsked() == ["/openapi/v3", "/openapi/v2"])
    #expect(self.paths(source) == ["/api/v1/pods", "/apis/example.org/v1/things"])
    #expect(await source.refresh() == .complete(changed: false))
    self.server.change { $0.answers["/openapi/v2"] = .document(["/api/v1/pods"], etag: "\"b\"") }
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.paths(source) == ["/api/v1/pods"])
    // A server that learns v3 is believed from then on.
    self.server.change { $0.answers = [:] }
    #expect(await source.refresh() == .complete(changed: true))
    #expect(self.paths(source) == Self.all)
  }

  @Test(arguments: [(401, "does not believe"), (403, "system:discovery"), (500, "answered with 500")])
  func aServerThatRefusesSaysWhatToDo(status: Int, fault: String) async {
    self.server.change { $0.answers["/openapi/v3"] = .text("no", status: status) }
    let source = self.source()
    #expect(await source.refresh() == .failed)
    #expect(source.status.fault?.contains(fault) == true)
    #expect(self.server.takeAsked() == ["/openapi/v3"])
  }

  @Test func refreshesComeEveryFewMinutesAndSoonerAfterAFailure() async {
    self.server.change { $0.isDown = true }
    let source = self.source(.init(every: .seconds(60)))
    let pauses = NIOLockedValueBox<[Duration]>([])
    await source.run(
      sleep: { pause in
        let count = pauses.withLockedValue { pauses in
          pauses.append(pause)
          return pauses.count
        }
        if count == 8 { self.server.change { $0.isDown = false } }
        if count == 10 { throw CancellationError() }
      }, chance: { 0.5 })
    #expect(
      pauses.withLockedValue { $0 } == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30].map { .seconds($0) })
    #expect(source.status.refreshes == 10)
    #expect(source.status.failures == 8)
  }
}
