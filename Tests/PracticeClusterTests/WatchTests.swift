import NIOCore
import Testing

@testable import SallyportPracticeCluster

/// What a watch tells, in which order, and when it ends: the store and the watcher without a network.
@Suite struct WatchTests {
  private let store = ObjectStore()
  private let type = ResourceCatalog.configMaps

  private func put(_ name: String, _ namespace: String = "dev", labels: [String: String] = [:], value: String = "1") throws {
    let object: JSON = [
      "metadata": ["name": .string(name), "namespace": .string(namespace), "labels": JSON(labels)], "data": ["value": .string(value)],
    ]
    try self.store.change(self.type, ObjectKey(namespace: namespace, name: name)) { (_) throws(APIError) in .put(object) }
  }

  private func remove(_ name: String) throws {
    try self.store.change(self.type, ObjectKey(namespace: "dev", name: name)) { (_) throws(APIError) in .remove }
  }

  private func watch(
    _ start: ObjectStore.WatchStart, namespace: String = "dev", labels: String = "", fields: String = "", marksEnd: Bool = false
  ) throws -> Watcher {
    let watcher = Watcher(
      Watcher.Scope(
        type: self.type, namespace: namespace, labels: try LabelSelector(labels), fields: try FieldSelector(fields), representation: .plain,
        timeout: .hours(1), bookmarks: nil, marksInitialEnd: marksEnd), store: self.store)
    try self.store.begin(watcher, of: self.type, at: start)
    return watcher
  }

  /// What waits in a watch: `ADDED a 2`, the type, the name, and the revision.
  private func drain(_ watcher: Watcher) throws -> [String] {
    var text: [UInt8] = []
    while case .bytes(let piece) = watcher.next() { text += piece }
    return try text.split(separator: 0x0A).map { line in
      let event = try JSONReader.read(line)
      let metadata = event[["object", "metadata"]]
      return [event["type"]?.string, metadata?["name"]?.string, metadata?["resourceVersion"]?.string].compactMap { $0 }.joined(
        separator: " ")
    }
  }

  private func isOver(_ watcher: Watcher) -> Bool {
    if case .end = watcher.next() { return true }
    return false
  }

  @Test func aWatchFromNowBeginsWithWhatIsThere() throws {
    try self.put("b")
    try self.put("a")
    let watcher = try self.watch(.now)
    #expect(try self.drain(watcher) == ["ADDED a 3", "ADDED b 2"])
    try self.put("a", value: "2")
    try self.remove("b")
    #expect(try self.drain(watcher) == ["MODIFIED a 4", "DELETED b 5"])
  }

  @Test func aWatchFromARevisionTellsWhatFollowedIt() throws {
    try self.put("a")
    try self.put("b")
    try self.put("a", value: "2")
    try self.remove("a")
    #expect(try self.drain(self.watch(.after(2))) == ["ADDED b 3", "MODIFIED a 4", "DELETED a 5"])
    #expect(try self.drain(self.watch(.after(5))).isEmpty)
  }

  @Test func aWatchFromTheFutureWaitsForIt() throws {
    let watcher = try self.watch(.after(3))
    try self.put("a")
    try self.put("b")
    try self.put("c")
    #expect(try self.drain(watcher) == ["ADDED c 4"])
  }

  @Test func aRevisionThatIsForgottenIsGone() throws {
    for number in 0...ObjectStore.historyLimit { try self.put("a", value: String(number)) }
    let error = #expect(throws: APIError.self) { try self.watch(.after(1)) }
    #expect(error?.status == 410 && error?.reason == "Expired" && error?.message.hasPrefix("too old resource version: 1 (") == true)
    #expect(try self.drain(self.watch(.after(2))).count == ObjectStore.historyLimit)
  }

  @Test func anObjectThatEntersOrLeavesTheSelectionIsAddedOrDeleted() throws {
    let watcher = try self.watch(.now, labels: "app=web")
    try self.put("a", labels: ["app": "db"])
    try self.put("a", labels: ["app": "web"])
    try self.put("a", labels: ["app": "web"], value: "2")
    try self.put("a", labels: ["app": "db"])
    try self.put("a", labels: ["app": "db"], value: "3")
    try self.remove("a")
    #expect(try self.drain(watcher) == ["ADDED a 3", "MODIFIED a 4", "DELETED a 5"])
  }

  @Test func otherNamespacesAndNamesAreNotTold() throws {
    let inDev = try self.watch(.now)
    let oneName = try self.watch(.now, namespace: "", fields: "metadata.name=a")
    try self.put("a", "prod")
    try self.put("b")
    #expect(try self.drain(inDev) == ["ADDED b 3"])
    #expect(try self.drain(oneName) == ["ADDED a 2"])
  }

  @Test func theEndOfTheInitialObjectsIsMarked() throws {
    try self.put("a")
    let watcher = try self.watch(.now, marksEnd: true)
    var text: [UInt8] = []
    while case .bytes(let piece) = watcher.next() { text += piece }
    let last = try #require(text.split(separator: 0x0A).last)
    let bookmark = try JSONReader.read(last)
    #expect(bookmark["type"] == "BOOKMARK")
    #expect(bookmark[["object", "metadata", "annotations"]] == ["k8s.io/initial-events-end": "true"])
    #expect(bookmark[["object", "metadata", "resourceVersion"]] == "2")
  }

  @Test func aWatchThatDoesNotKeepUpIsEnded() throws {
    let slow = try self.watch(.now)
    let quick = try self.watch(.now)
    for number in 0..<Watcher.bufferLimit { try self.put("a", value: String(number)) }
    #expect(try self.drain(quick).count == Watcher.bufferLimit)
    try self.put("a", value: "one more")
    #expect(self.isOver(slow))
    #expect(try self.drain(quick).count == 1 && !self.isOver(quick))
    slow.stop()
    #expect(self.store.watcherCount == 1)
  }

  @Test func aStoppedWatchIsForgotten() throws {
    let watcher = try self.watch(.now)
    #expect(self.store.watcherCount == 1)
    watcher.stop()
    #expect(self.store.watcherCount == 0)
    try self.put("a")
    #expect(self.isOver(watcher))
  }

  @Test func aDryRunIsTellingNobody() throws {
    let watcher = try self.watch(.now)
    let object: JSON = ["metadata": ["name": "a", "namespace": "dev"]]
    let shown = try self.store.change(self.type, ObjectKey(namespace: "dev", name: "a"), isDryRun: true) { (_) throws(APIError) in
      .put(object)
    }
    #expect(shown?.key.name == "a")
    #expect(try self.drain(watcher).isEmpty && self.store.revision == 1 && self.store.objects(self.type, namespace: "").objects.isEmpty)
  }

  @Test func listsAreOrderedByNamespaceAndName() throws {
    for (name, namespace) in [("b", "y"), ("a", "z"), ("c", "x"), ("a", "y")] { try self.put(name, namespace) }
    func keys(_ namespace: String, after: ObjectKey? = nil) -> [String] {
      self.store.objects(self.type, namespace: namespace, after: after).objects.map { "\($0.key.namespace)/\($0.key.name)" }
    }
    #expect(keys("") == ["x/c", "y/a", "y/b", "z/a"])
    #expect(keys("y") == ["y/a", "y/b"])
    #expect(keys("", after: ObjectKey(namespace: "y", name: "a")) == ["y/b", "z/a"])
    #expect(keys("", after: ObjectKey(namespace: "y", name: "aa")) == ["y/b", "z/a"])
  }
}
