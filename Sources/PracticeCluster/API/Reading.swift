import NIOCore

/// Get, list and watch.
extension APIServer {
  func get(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    let representation = try exchange.representation(isList: false)
    if exchange.query["export"] == "true" {
      throw .badRequest("the export parameter, deprecated since v1.14, is no longer supported")
    }
    if let revision = exchange.query["resourceVersion"].flatMap(Int.init) { try self.checkNotAhead(revision) }
    let object = try self.existing(route)
    if route.subresource == "scale" { return .json(self.scaleObject(object)) }
    return .json(ObjectEncoder(type: route.type, representation: representation).single(object))
  }

  /// The object that a route names.
  func existing(_ route: ResourceRoute) throws(APIError) -> StoredObject {
    if route.isNamespaced, route.namespace.isEmpty {
      throw .badRequest("an empty namespace may not be set when a resource name is provided")
    }
    guard let object = self.store.object(route.type, ObjectKey(namespace: route.namespace, name: route.name)) else {
      throw .notFound(route.type, route.name)
    }
    return object
  }

  func list(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    let encoder = ObjectEncoder(type: route.type, representation: try exchange.representation(isList: true))
    let options = try ListOptions(exchange.query, for: route.type)
    if let revision = try options.revision() {
      try self.checkNotAhead(revision)
      if options.resourceVersionMatch == "Exact", revision != self.store.revision {
        throw .expired("The resourceVersion for the provided list is too old.")
      }
    }
    var (objects, revision) = self.store.objects(route.type, namespace: route.namespace, after: options.continuation?.after)
    objects = objects.filter { options.labels.matches($0.labels) && options.fields.matches($0) }
    var metadata: JSON = ["resourceVersion": .string(String(revision))]
    if options.limit > 0, objects.count > options.limit {
      let rest = objects.count - Int(options.limit)
      objects.removeLast(rest)
      if let last = objects.last { metadata.set(.string(ContinueToken(after: last.key).text), at: "continue") }
      metadata.set(.integer(Int64(rest)), at: "remainingItemCount")
    }
    return encoder.list(objects, metadata: metadata)
  }

  func watch(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    // A watch's events are single objects, so metadata alone is asked for by the kind of the single one.
    let representation = try exchange.representation(isList: false)
    var options = try ListOptions(exchange.query, for: route.type)
    if !route.name.isEmpty { options.fields = options.fields.narrowed(toName: route.name) }
    let revision = try options.revision() ?? 0
    let watcher = Watcher(
      Watcher.Scope(
        type: route.type, namespace: route.namespace, labels: options.labels, fields: options.fields, representation: representation,
        timeout: options.timeoutSeconds.flatMap { $0 > 0 ? .seconds($0) : nil } ?? Self.longestWatch,
        bookmarks: options.allowsBookmarks ? Self.bookmarkInterval : nil, marksInitialEnd: options.sendsInitialEvents),
      store: self.store)
    do throws(APIError) {
      try self.store.begin(watcher, of: route.type, at: revision == 0 || options.sendsInitialEvents ? .now : .after(revision))
    } catch {
      return APIResponse(status: 200, body: .stream(FailedWatch(error)))
    }
    return APIResponse(status: 200, body: .stream(watcher))
  }

  /// A real server ends a watch after a random 30 to 60 minutes.
  private static var longestWatch: TimeAmount { .minutes(Int64.random(in: 30...60)) }
  private static let bookmarkInterval = TimeAmount.seconds(60)

  private func checkNotAhead(_ revision: Int) throws(APIError) {
    let current = self.store.revision
    if revision > current { throw .timeout("Timeout: Too large resource version: \(revision), current: \(current)") }
  }
}
