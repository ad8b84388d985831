import NIOCore

import struct Foundation.Date

/// Delete and deletecollection.
extension APIServer {
  /// `DeleteOptions`, from the body and the query.
  private struct Options {
    let isDryRun: Bool
    /// Foreground and Orphan leave a finalizer for the garbage collector, so that the answer is the object.
    let leavesFinalizer: String?
    let preconditionUID: String?
    let preconditionRevision: String?

    init(_ exchange: Exchange) throws(APIError) {
      var body: JSON = [:]
      if exchange.request.body.readableBytes > 0 {
        body = try exchange.json(allowing: ["application/json"])
      }
      self.isDryRun = try exchange.isDryRun("DeleteOptions", body: body)
      let policy = exchange.query["propagationPolicy"] ?? body["propagationPolicy"]?.string
      let orphans =
        exchange.query["orphanDependents"].map { _ in exchange.query.flag("orphanDependents") } ?? body["orphanDependents"]?.bool
      if policy != nil, orphans != nil {
        throw APIError(
          422, "Invalid",
          "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: orphanDependents and deletionPropagation "
            + "cannot be both set", details: ["group": "meta.k8s.io", "kind": "DeleteOptions"])
      }
      switch policy {
      case nil: self.leavesFinalizer = orphans == true ? "orphan" : nil
      case "Background": self.leavesFinalizer = nil
      case "Foreground": self.leavesFinalizer = "foregroundDeletion"
      case "Orphan": self.leavesFinalizer = "orphan"
      case let other?:
        throw APIError(
          422, "Invalid",
          "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \(other.quoted): supported values: "
            + "\"Foreground\", \"Background\", \"Orphan\"", details: ["group": "meta.k8s.io", "kind": "DeleteOptions"])
      }
      self.preconditionUID = body[["preconditions", "uid"]]?.string
      self.preconditionRevision = body[["preconditions", "resourceVersion"]]?.string
    }
  }

  /// How a delete ended.
  private enum Ending {
    case gone(StoredObject)
    /// It waits for its finalizers.
    case marked(StoredObject)

    var object: StoredObject {
      switch self {
      case .gone(let object), .marked(let object): object
      }
    }
  }

  func delete(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    let representation = try exchange.representation(isList: false)
    let options = try Options(exchange)
    if route.isNamespaced, route.namespace.isEmpty {
      throw .badRequest("an empty namespace may not be set when a resource name is provided")
    }
    let ending = try self.delete(route.type, ObjectKey(namespace: route.namespace, name: route.name), options)
    if case .gone(let object) = ending, !route.type.returnsDeletedObject {
      var details = route.type.details(route.name)
      details.set(object.metadata["uid"], at: "uid")
      return .json(["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details])
    }
    return self.answer(ending.object, route.type, representation)
  }

  func deleteCollection(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    let encoder = ObjectEncoder(type: route.type, representation: try exchange.representation(isList: true))
    if route.type.isNamespaced, route.namespace.isEmpty { throw .badRequest("Namespace parameter required.") }
    let deletion = try Options(exchange)
    let options = try ListOptions(exchange.query, for: route.type)
    let (objects, revision) = self.store.objects(route.type, namespace: route.namespace)
    var selected = objects.filter { options.labels.matches($0.labels) && options.fields.matches($0) }
    if options.limit > 0 { selected = Array(selected.prefix(Int(options.limit))) }
    var deleted: [StoredObject] = []
    for object in selected {
      do throws(APIError) {
        deleted.append(try self.delete(route.type, object.key, deletion).object)
      } catch  where error.status == 404 {
        continue
      }
    }
    return encoder.list(deleted, metadata: ["resourceVersion": .string(String(revision))])
  }

  private func delete(_ type: ResourceType, _ key: ObjectKey, _ options: Options) throws(APIError) -> Ending {
    var marks = false
    let result = try self.store.change(type, key, isDryRun: options.isDryRun) { present throws(APIError) in
      guard let present else { throw .notFound(type, key.name) }
      if let uid = options.preconditionUID, uid != present.metadata["uid"]?.string {
        throw .conflict(type, key.name, "Precondition failed: UID in precondition: \(uid)")
      }
      if let revision = options.preconditionRevision, revision != String(present.revision) {
        throw .conflict(type, key.name, "Precondition failed: ResourceVersion in precondition: \(revision)")
      }
      var finalizers = (present.metadata["finalizers"]?.array ?? []).compactMap(\.string)
      if let added = options.leavesFinalizer, !finalizers.contains(added) { finalizers.append(added) }
      guard !finalizers.isEmpty else { return .remove }
      marks = true
      if present.metadata["deletionTimestamp"] != nil { return .keep }
      var object = present.value
      object.set(.string(Timestamp.text(Date())), at: "metadata", "deletionTimestamp")
      object.set(0, at: "metadata", "deletionGracePeriodSeconds")
      object.set(JSON(finalizers), at: "metadata", "finalizers")
      return .put(object)
    }
    guard let result else { throw .notFound(type, key.name) }
    if !options.isDryRun {
      if marks { try self.collectGarbage(type, key) }
      if type == ResourceCatalog.namespaces, !marks { self.empty(namespace: key.name) }
    }
    return marks ? .marked(result) : .gone(result)
  }

  /// What the garbage collector does after a foreground or orphaning delete: nothing here has dependents, so it only
  /// takes its own finalizers off, and the object goes if they were the last.
  private func collectGarbage(_ type: ResourceType, _ key: ObjectKey) throws(APIError) {
    try self.store.change(type, key) { (present) throws(APIError) in
      guard let present, var finalizers = present.metadata["finalizers"]?.array else { return .keep }
      finalizers.removeAll { $0 == "foregroundDeletion" || $0 == "orphan" }
      if finalizers.isEmpty { return .remove }
      var object = present.value
      object.set(.array(finalizers), at: "metadata", "finalizers")
      return object == present.value ? .keep : .put(object)
    }
  }

  /// What the namespace controller does: everything in the namespace goes with it.
  private func empty(namespace: String) {
    for type in ResourceCatalog.all where type.isNamespaced && type.isStored {
      for object in self.store.objects(type, namespace: namespace).objects {
        _ = try? self.store.change(type, object.key) { (_) throws(APIError) in .remove }
      }
    }
  }
}
