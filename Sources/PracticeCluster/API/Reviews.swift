/// Objects that are a question: they are answered and not kept.
extension APIServer {
  func review(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    guard try exchange.representation(isList: false) == .plain else { throw .notAcceptable(Representation.onlyJSON) }
    _ = try exchange.isDryRun("CreateOptions")
    var object = try exchange.object(of: route.type.kind, groupVersion: route.type.groupVersion)
    _ = try self.checkFields(object, route.type, exchange)
    let spec = object["spec"] ?? [:]
    switch route.type {
    case ResourceCatalog.selfSubjectReviews:
      object.set(["userInfo": exchange.user.json], at: "status")
    case ResourceCatalog.selfSubjectAccessReviews:
      object.set(try self.decide(spec, for: exchange.user, route.type), at: "status")
    case ResourceCatalog.subjectAccessReviews:
      let extra = (spec["extra"]?.object ?? [:]).mapValues { ($0.array ?? []).compactMap(\.string) }
      let user = UserInfo(
        name: spec["user"]?.string ?? "", uid: spec["uid"]?.string ?? "", groups: (spec["groups"]?.array ?? []).compactMap(\.string),
        extra: extra)
      guard !user.name.isEmpty || !user.groups.isEmpty else {
        throw .invalid(
          route.type, "", [.invalid("spec.user", .string(user.name), "at least one of user or group must be specified")])
      }
      object.set(try self.decide(spec, for: user, route.type), at: "status")
    default:
      guard let namespace = spec["namespace"]?.string, !namespace.isEmpty else { throw .badRequest("no namespace on request") }
      object.set(
        [
          "incomplete": false, "resourceRules": .array(RoleTable.resourceRules(for: exchange.user)),
          "nonResourceRules": [["verbs": ["get"], "nonResourceURLs": JSON(RoleTable.publicPaths)]],
        ], at: "status")
    }
    object.set(.string(route.type.kind), at: "kind")
    object.set(.string(route.type.groupVersion), at: "apiVersion")
    if object["metadata"] == nil { object.set(["creationTimestamp": .null], at: "metadata") }
    return .json(object, status: 201)
  }

  private func decide(_ spec: JSON, for user: UserInfo, _ type: ResourceType) throws(APIError) -> JSON {
    let access: AccessAttributes
    let resource = spec["resourceAttributes"]
    switch (resource, spec["nonResourceAttributes"]) {
    case (let resource?, nil):
      func text(_ key: String) -> String { resource[key]?.string ?? "" }
      access = AccessAttributes(
        verb: text("verb"), group: text("group"), version: text("version"), resource: text("resource"), subresource: text("subresource"),
        namespace: text("namespace"), name: text("name"))
    case (nil, let path?):
      access = AccessAttributes(verb: path["verb"]?.string ?? "", path: path["path"]?.string ?? "")
    default:
      throw .invalid(
        type, "",
        [
          .invalid(
            "spec.resourceAttributes", resource ?? .null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")
        ])
    }
    return ["allowed": .bool(RoleTable.allows(user, access, isResourceRequest: resource != nil))]
  }
}
