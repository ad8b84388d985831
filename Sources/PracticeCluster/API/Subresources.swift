import struct Foundation.Date

/// The subresources that are no part of the object: the scale of a workload, the token of a service account.
extension APIServer {
  func scaleObject(_ object: StoredObject) -> JSON {
    var metadata: JSON = [:]
    for field in ["name", "namespace", "uid", "creationTimestamp", "resourceVersion"] { metadata.set(object.metadata[field], at: field) }
    let labels = object[["spec", "selector", "matchLabels"]]?.strings ?? [:]
    let selector = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    return [
      "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": ["replicas": object[["spec", "replicas"]] ?? 0],
      "status": ["replicas": object[["status", "replicas"]] ?? 0, "selector": .string(selector)],
    ]
  }

  /// Writes the scale: as a `Scale` in the body, or as a patch of it.
  func scale(_ exchange: Exchange, _ route: ResourceRoute, patch: PatchRequest? = nil) throws(APIError) -> APIResponse {
    let isDryRun = try exchange.isDryRun(patch == nil ? "UpdateOptions" : "PatchOptions")
    let sent: JSON? = if patch == nil { try exchange.object(of: "Scale", groupVersion: "autoscaling/v1") } else { nil }
    let stored = try self.replace(route, by: exchange.fieldManager, isDryRun: isDryRun) { old throws(APIError) in
      let current = self.scaleObject(StoredObject(old, revision: Int(old[["metadata", "resourceVersion"]]?.string ?? "") ?? 0))
      var wanted = sent ?? current
      if let patch { wanted = try patch.apply(to: current, .object("Scale")) }
      guard let replicas = wanted[["spec", "replicas"]]?.integer ?? (wanted[["spec", "replicas"]] == nil ? 0 : nil) else {
        throw .badRequest("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas is no number")
      }
      var object = old
      object.set(.integer(replicas), at: "spec", "replicas")
      object.set(wanted[["metadata", "resourceVersion"]], at: "metadata", "resourceVersion")
      return object
    }
    guard let stored else { throw .notFound(route.type, route.name) }
    return .json(self.scaleObject(stored))
  }

  /// `TokenRequest`: a random token that only this server knows.
  func issueToken(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    var object = try exchange.object(of: "TokenRequest", groupVersion: "authentication.k8s.io/v1")
    let isDryRun = try exchange.isDryRun("CreateOptions")
    let account = try self.existing(route)
    let lifetime = object[["spec", "expirationSeconds"]]?.integer ?? 3600
    guard lifetime >= 600, lifetime <= 1 << 32 else {
      throw APIError(
        422, "Invalid",
        "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: \(lifetime): may not specify a "
          + "duration less than 10 minutes", details: ["group": "authentication.k8s.io", "kind": "TokenRequest"])
    }
    let expires = Date(timeIntervalSinceNow: Double(lifetime))
    var user = UserInfo(
      name: "system:serviceaccount:\(route.namespace):\(route.name)", uid: account.metadata["uid"]?.string ?? "")
    user.groups = ServiceAccountName(user: user.name)?.groups ?? []
    // A real server mints the token even in a dry run; here it then opens nothing.
    let token = isDryRun ? "practice-token.dry-run" : self.tokens.issue(for: user, until: expires)
    object.set("TokenRequest", at: "kind")
    object.set("authentication.k8s.io/v1", at: "apiVersion")
    object.set(["name": .string(route.name), "namespace": .string(route.namespace)], at: "metadata")
    object.set(["token": .string(token), "expirationTimestamp": .string(Timestamp.text(expires))], at: "status")
    object.set(.integer(lifetime), at: "spec", "expirationSeconds")
    return .json(object, status: 201)
  }
}
