import NIOHTTP1

import struct Foundation.Date

/// Create, update and patch.
extension APIServer {
  func create(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    let representation = try exchange.representation(isList: false)
    let type = route.type
    let isDryRun = try exchange.isDryRun("CreateOptions")
    var object = try exchange.object(of: type.kind, groupVersion: type.groupVersion)
    let warnings = try self.checkFields(object, type, exchange)
    let namespace = object[["metadata", "namespace"]]?.string ?? ""
    if type.isNamespaced, !namespace.isEmpty, namespace != route.namespace {
      throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
    }
    if let prefix = object[["metadata", "generateName"]]?.string, !prefix.isEmpty, (object[["metadata", "name"]]?.string ?? "").isEmpty {
      let suffix = String((0..<5).map { _ in "bcdfghjklmnpqrstvwxz2456789".randomElement() ?? "b" })
      object.set(.string(prefix + suffix), at: "metadata", "name")
    }
    if let revision = object[["metadata", "resourceVersion"]]?.string, !revision.isEmpty {
      throw .badRequest("resourceVersion should not be set on objects to be created")
    }
    let key = ObjectKey(namespace: route.namespace, name: object[["metadata", "name"]]?.string ?? "")
    try self.checkNamespace(route)
    let prepared = try self.prepareNew(object, type, key, by: exchange.fieldManager)
    let stored = try self.store.change(type, key, isDryRun: isDryRun) { present throws(APIError) in
      if present != nil { throw .alreadyExists(type, key.name) }
      return .put(prepared)
    }
    if type == ResourceCatalog.namespaces, !isDryRun { try DemoSeed.serviceAccount(in: key.name, store: self.store) }
    return self.answer(stored, type, representation, status: 201, warnings: warnings)
  }

  func update(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    if route.subresource == "scale" { return try self.scale(exchange, route) }
    let representation = try exchange.representation(isList: false)
    let isDryRun = try exchange.isDryRun("UpdateOptions")
    let object = try exchange.object(of: route.type.kind, groupVersion: route.type.groupVersion)
    let warnings = try self.checkFields(object, route.type, exchange)
    let name = object[["metadata", "name"]]?.string ?? ""
    guard name == route.name else {
      throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(route.name))")
    }
    let namespace = object[["metadata", "namespace"]]?.string ?? ""
    guard namespace.isEmpty || namespace == route.namespace else {
      throw .badRequest("the namespace of the object (\(namespace)) does not match the namespace on the request (\(route.namespace))")
    }
    let stored = try self.replace(route, by: exchange.fieldManager, isDryRun: isDryRun) { (_) throws(APIError) in object }
    return self.answer(stored, route.type, representation, warnings: warnings)
  }

  func patch(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    let representation = try exchange.representation(isList: false)
    let isDryRun = try exchange.isDryRun("PatchOptions")
    let patch = try PatchRequest(exchange)
    if route.subresource == "scale" { return try self.scale(exchange, route, patch: patch) }
    if case .apply(let applied) = patch { return try self.apply(applied, exchange, route, representation, isDryRun: isDryRun) }
    var warnings: [String] = []
    let stored = try self.replace(route, by: exchange.fieldManager, isDryRun: isDryRun) { old throws(APIError) in
      let patched = try patch.apply(to: old, SchemaTable.type(route.type))
      warnings = try self.checkFields(patched, route.type, exchange)
      return patched
    }
    return self.answer(stored, route.type, representation, warnings: warnings)
  }

  private func apply(
    _ applied: JSON, _ exchange: Exchange, _ route: ResourceRoute, _ representation: Representation, isDryRun: Bool
  ) throws(APIError) -> APIResponse {
    let type = route.type
    guard let manager = exchange.query["fieldManager"], !manager.isEmpty else {
      throw APIError(
        422, "Invalid", "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
        details: ["group": "meta.k8s.io", "kind": "PatchOptions"])
    }
    guard applied["kind"]?.string == type.kind, applied["apiVersion"]?.string == type.groupVersion else {
      throw .badRequest("the object provided is unrecognized: an apply needs kind \(type.kind) and apiVersion \(type.groupVersion)")
    }
    if let name = applied[["metadata", "name"]]?.string, name != route.name {
      throw .badRequest("metadata.name does not match the name on the URL (\(route.name))")
    }
    guard applied[["metadata", "managedFields"]] == nil else { throw .badRequest("metadata.managedFields must be nil") }
    let warnings = try self.checkFields(applied, type, exchange)
    try self.checkNamespace(route)
    let key = ObjectKey(namespace: route.namespace, name: route.name)
    var isNew = false
    let stored = try self.store.change(type, key, isDryRun: isDryRun) { present throws(APIError) in
      isNew = present == nil
      let merged = try ServerSideApply.apply(
        applied, to: present?.value, type, by: manager, subresource: route.subresource, isForced: exchange.query.flag("force"),
        now: Timestamp.text(Date()))
      guard let present else {
        guard route.subresource.isEmpty else { throw .notFound(type, route.name) }
        return .put(try self.checked(Admission.prepareNew(merged, type, key), type, key))
      }
      return try self.settled(merged, over: present, route)
    }
    return self.answer(stored, type, representation, status: isNew ? 201 : 200, warnings: warnings)
  }

  /// Puts a new state in the place of an object, with all that the server checks and keeps.
  func replace(
    _ route: ResourceRoute, by manager: String, isDryRun: Bool, _ compute: (JSON) throws(APIError) -> JSON
  ) throws(APIError) -> StoredObject? {
    if route.isNamespaced, route.namespace.isEmpty {
      throw .badRequest("an empty namespace may not be set when a resource name is provided")
    }
    return try self.store.change(route.type, ObjectKey(namespace: route.namespace, name: route.name), isDryRun: isDryRun) {
      present throws(APIError) in
      guard let present else { throw .notFound(route.type, route.name) }
      let old = ObjectEncoder(type: route.type, representation: .plain).typed(present.value)
      let computed = try compute(old)
      if let name = computed[["metadata", "name"]], name != old[["metadata", "name"]] {
        throw .invalid(route.type, route.name, [.invalid("metadata.name", name, "field is immutable")])
      }
      if let uid = computed[["metadata", "uid"]]?.string, !uid.isEmpty, uid != old[["metadata", "uid"]]?.string {
        throw .conflict(
          route.type, route.name,
          "Precondition failed: UID in precondition: \(uid), UID in object meta: \(old[["metadata", "uid"]]?.string ?? "")")
      }
      if let revision = computed[["metadata", "resourceVersion"]]?.string, !revision.isEmpty, revision != String(present.revision) {
        throw .conflict(route.type, route.name, APIError.modifiedMeanwhile)
      }
      var next = Admission.prepareUpdate(computed, over: old, route.type, subresource: route.subresource)
      // A client that knows nothing of managed fields does not say so by leaving them out.
      var managed = ManagedFields(old[["metadata", "managedFields"]])
      managed.recordUpdate(
        from: old, to: next, route.type, by: .init(name: manager, operation: "Update", subresource: route.subresource),
        now: Timestamp.text(Date()))
      next.set(managed.json, at: "metadata", "managedFields")
      return try self.settled(next, over: present, route)
    }
  }

  /// What becomes of an object's new state: nothing if it is the old one, and its end if the last finalizer went.
  private func settled(_ object: JSON, over present: StoredObject, _ route: ResourceRoute) throws(APIError) -> ObjectStore.Change {
    let key = ObjectKey(namespace: route.namespace, name: route.name)
    let prepared = Admission.prepareUpdate(object, over: present.value, route.type, subresource: route.subresource)
    let next = try self.checked(prepared, route.type, key, old: present.value)
    if next[["metadata", "deletionTimestamp"]] != nil, (next[["metadata", "finalizers"]]?.array ?? []).isEmpty { return .remove }
    return StoredObject(next, revision: present.revision).value == present.value ? .keep : .put(next)
  }

  private func prepareNew(_ object: JSON, _ type: ResourceType, _ key: ObjectKey, by manager: String) throws(APIError) -> JSON {
    var prepared = Admission.prepareNew(object, type, key)
    var managed = ManagedFields(nil)
    managed.recordUpdate(
      from: nil, to: object, type, by: .init(name: manager, operation: "Update", subresource: ""), now: Timestamp.text(Date()))
    prepared.set(managed.json, at: "metadata", "managedFields")
    return try self.checked(prepared, type, key)
  }

  private func checked(_ object: JSON, _ type: ResourceType, _ key: ObjectKey, old: JSON? = nil) throws(APIError) -> JSON {
    let faults = Validation.faults(of: object, type, old: old)
    guard faults.isEmpty else { throw .invalid(type, key.name, faults) }
    return object
  }

  private func checkNamespace(_ route: ResourceRoute) throws(APIError) {
    guard route.type.isNamespaced else { return }
    guard self.store.object(ResourceCatalog.namespaces, ObjectKey(namespace: "", name: route.namespace)) != nil else {
      throw .notFound(ResourceCatalog.namespaces, route.namespace)
    }
  }

  /// - Returns: the warnings that go with the answer
  /// - Throws: 400 for a value of a wrong type, and for unknown fields where the client asks for `Strict`
  func checkFields(_ object: JSON, _ type: ResourceType, _ exchange: Exchange) throws(APIError) -> [String] {
    if let fault = FieldValidation.mistypedField(in: object, type) ?? Validation.undecodableData(object, type) {
      throw .badRequest(
        "\(type.kind) in version \(type.version.quoted) cannot be handled as a \(type.kind): \(fault)")
    }
    guard exchange.fieldValidation != .ignore else { return [] }
    let unknown = FieldValidation.unknownFields(in: object, type).map { "unknown field \($0.quoted)" }
    if exchange.fieldValidation == .strict, !unknown.isEmpty {
      throw .badRequest(
        "\(type.kind) in version \(type.version.quoted) cannot be handled as a \(type.kind): strict decoding error: "
          + unknown.joined(separator: ", "))
    }
    return unknown
  }

  func answer(
    _ object: StoredObject?, _ type: ResourceType, _ representation: Representation, status: Int = 200, warnings: [String] = []
  ) -> APIResponse {
    guard let object else { return APIError.internalError("the object is gone").response }
    var response = APIResponse.json(ObjectEncoder(type: type, representation: representation).single(object), status: status)
    response.headers += warnings.map { ("Warning", "299 - \($0.quoted)") }
    return response
  }
}

/// A patch, by the kind that its content type states.
enum PatchRequest: Sendable {
  case merge(JSON), json(JSON), strategic(JSON), apply(JSON)

  private static let types: Set = [
    "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
  ]

  /// - Throws: 415 for a content type that is no patch's
  init(_ exchange: Exchange) throws(APIError) {
    let field = exchange.request.headers.first(name: "Content-Type") ?? ""
    guard let type = MediaType(field)?.name, Self.types.contains(type) else {
      throw .unsupportedMediaType(
        "415: Unsupported Media Type: the body of the request was in an unknown format - accepted media types include: "
          + Self.types.sorted().joined(separator: ", "))
    }
    let json = try exchange.json(allowing: Self.types)
    switch type {
    case "application/json-patch+json": self = .json(json)
    case "application/merge-patch+json": self = .merge(json)
    case "application/strategic-merge-patch+json": self = .strategic(json)
    default: self = .apply(json)
    }
  }

  /// - Throws: 400 for what is no patch, 422 for one that does not fit the object
  func apply(to object: JSON, _ type: FieldType) throws(APIError) -> JSON {
    switch self {
    case .merge(let patch):
      return MergePatch.apply(patch, to: object)
    case .strategic(let patch), .apply(let patch):
      do {
        return try StrategicMergePatch.apply(patch, to: object, type)
      } catch {
        throw .badRequest(error.description)
      }
    case .json(let patch):
      do {
        return try JSONPatch.apply(patch, to: object)
      } catch {
        if error.isMalformed { throw .badRequest(error.description) }
        throw APIError(422, "Invalid", "the server rejected our request due to an error in our request")
      }
    }
  }
}
