/// How the API server reads a request before it routes it: what its authorizer and its audit log see.
///
/// Follows `RequestInfoFactory.NewRequestInfo` of kubernetes/apiserver (pkg/endpoints/request/requestinfo.go). It is more
/// generous than the router: slashes at both ends are trimmed, so that `//api/v1/secrets` is read as secrets although the
/// router answers 404.
struct RequestReading: Sendable, Hashable {
  let attributes: AccessAttributes
  let isResourceRequest: Bool

  private static let methodVerbs = [
    "POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete",
  ]
  private static let specialVerbs: Set = ["proxy", "watch"]
  private static let namespaceSubresources: Set = ["status", "finalize"]

  /// - Returns: `nil` where a special verb has nothing behind it (`/api/v1/watch`), which the server answers with 500
  init?(method: String, url: GoURL) {
    var parts = url.path.trimmingSlashes.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts == [""] { parts = [] }
    let plain = AccessAttributes(verb: method.lowercased(), path: url.path)
    guard parts.count >= 3, parts[0] == "api" || parts[0] == "apis", parts[0] == "api" || parts.count >= 4 else {
      self.attributes = plain
      self.isResourceRequest = false
      return
    }
    var attributes = AccessAttributes(verb: "")
    let hasGroup = parts.removeFirst() == "apis"
    if hasGroup { attributes.group = parts.removeFirst() }
    attributes.version = parts.removeFirst()
    if let special = parts.first, Self.specialVerbs.contains(special) {
      guard parts.count >= 2 else { return nil }
      attributes.verb = parts.removeFirst()
    } else {
      attributes.verb = Self.methodVerbs[method] ?? ""
    }
    if parts.first == "namespaces", parts.count > 1 {
      attributes.namespace = parts[1]
      if parts.count > 2, !Self.namespaceSubresources.contains(parts[2]) { parts.removeFirst(2) }
    }
    attributes.resource = parts.first ?? ""
    if parts.count >= 2 { attributes.name = parts[1] }
    // The special verbs know no subresource: behind `/proxy/` and `/watch/` the rest is something else.
    if parts.count >= 3, !Self.specialVerbs.contains(attributes.verb) { attributes.subresource = parts[2] }
    if attributes.name.isEmpty {
      if attributes.verb == "get" {
        attributes.verb = url.query.flag("watch") ? "watch" : "list"
        attributes.name = Self.selectedName(url.query) ?? ""
      } else if attributes.verb == "delete" {
        attributes.verb = "deletecollection"
      }
    }
    attributes.path = url.path
    self.attributes = attributes
    self.isResourceRequest = true
  }

  /// The name that `fieldSelector=metadata.name=NAME` asks for, where it is fit for a path segment.
  private static func selectedName(_ query: GoQuery) -> String? {
    guard let text = query["fieldSelector"], let selector = try? FieldSelector(text) else { return nil }
    guard let name = selector.exactMatch(of: "metadata.name"), name != ".", name != "..", !name.contains("/"), !name.contains("%") else {
      return nil
    }
    return name
  }
}

extension String {
  /// The text without any slash at either end.
  var trimmingSlashes: Substring {
    var rest = Substring(self)
    while rest.first == "/" { rest.removeFirst() }
    while rest.last == "/" { rest.removeLast() }
    return rest
  }
}
