/// A request as the Kubernetes API server reads it.
///
/// Follows `RequestInfoFactory.NewRequestInfo` of k8s.io/apiserver (pkg/endpoints/request), held against the readings
/// that a real server 1.36 recorded in its own audit log. Every comparison is of bytes: Swift's `Character` would join a
/// slash with a combining accent behind it.
///
/// One object is made for each request; policy, audit and routing share it.
public final class RequestInfo: Sendable {
  /// Whether the path names a resource under `/api` or `/apis`.
  public let isResourceRequest: Bool
  /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for a non-resource request the
  /// method in lower case; empty for a method that the server gives no verb. `watch` and `proxy` also where the path
  /// asks for them (`/api/v1/watch/…`), whatever the method.
  public let verb: String
  /// `api` or `apis`, empty for a non-resource request.
  public let apiPrefix: String
  /// Empty for the core group.
  public let apiGroup: String
  public let apiVersion: String
  /// Empty where the request names none, and for all namespaces.
  public let namespace: String
  public let resource: String
  public let subresource: String
  /// The object's name; for list and watch the one that `fieldSelector=metadata.name=` asks for.
  public let name: String
  /// The decoded path's segments behind the resource: resource, name, subresource, and what comes after.
  public let parts: [String]
  /// The decoded path, for non-resource rules.
  public let path: String

  /// A reading with these values, for tests and for whoever has a reading from elsewhere.
  public init(
    isResourceRequest: Bool, verb: String, apiPrefix: String = "", apiGroup: String = "", apiVersion: String = "", namespace: String = "",
    resource: String = "", subresource: String = "", name: String = "", parts: [String] = [], path: String = "/"
  ) {
    self.isResourceRequest = isResourceRequest
    self.verb = verb
    self.apiPrefix = apiPrefix
    self.apiGroup = apiGroup
    self.apiVersion = apiVersion
    self.namespace = namespace
    self.resource = resource
    self.subresource = subresource
    self.name = name
    self.parts = parts
    self.path = path
  }

  /// Reads a request.
  ///
  /// The server refuses `/api/v1/watch` and `/api/v1/proxy` with nothing behind them (500); here they name no resource.
  public convenience init(method: Method, target: RequestTarget) {
    var path = target.path
    let reading = path.withUTF8 { bytes in
      var reading = InfoReading(verb: method.lowercased)
      reading.read(PathSegments(UnsafeRawBufferPointer(bytes)), method: method, query: target.query)
      return reading
    }
    self.init(
      isResourceRequest: reading.isResourceRequest, verb: reading.verb, apiPrefix: reading.apiPrefix, apiGroup: reading.apiGroup,
      apiVersion: reading.apiVersion, namespace: reading.namespace, resource: reading.resource, subresource: reading.subresource,
      name: reading.name, parts: reading.parts, path: target.path)
  }
}

extension RequestInfo: Hashable {
  public static func == (left: RequestInfo, right: RequestInfo) -> Bool {
    left.isResourceRequest == right.isResourceRequest && left.verb == right.verb && left.apiPrefix == right.apiPrefix
      && left.apiGroup == right.apiGroup && left.apiVersion == right.apiVersion && left.namespace == right.namespace
      && left.resource == right.resource && left.subresource == right.subresource && left.name == right.name
      && left.parts == right.parts && left.path == right.path
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(self.verb)
    hasher.combine(self.path)
    hasher.combine(self.name)
  }
}

/// What of a ``RequestInfo`` has been read so far.
private struct InfoReading {
  var isResourceRequest = false
  var verb: String
  var apiPrefix = ""
  var apiGroup = ""
  var apiVersion = ""
  var namespace = ""
  var resource = ""
  var subresource = ""
  var name = ""
  var parts: [String] = []

  init(verb: String) { self.verb = verb }

  mutating func read(_ segments: PathSegments, method: Method, query: String?) {
    guard segments.count >= 3 else { return }
    // The segment that is read next.
    var next = 0
    if segments.equals(0, "api") {
      self.apiPrefix = "api"
      next = 1
    } else if segments.equals(0, "apis") {
      guard segments.count >= 4 else { return }
      self.apiPrefix = "apis"
      self.apiGroup = segments.text(1)
      next = 2
    } else {
      return
    }
    self.isResourceRequest = true
    self.apiVersion = segments.text(next)
    next += 1

    if segments.equals(next, "watch") || segments.equals(next, "proxy") {
      guard segments.count - next > 1 else { return }
      self.verb = segments.text(next)
      next += 1
    } else {
      self.verb = Self.verb(of: method)
    }
    next += self.readNamespace(segments, from: next)
    self.readObject(segments, from: next)
    self.readCollection(of: query)
  }

  /// The server compares methods as they are spelled; `get` has no verb.
  private static func verb(of method: Method) -> String {
    switch method {
    case .get, .head: "get"
    case .post: "create"
    case .put: "update"
    case .patch: "patch"
    case .delete: "delete"
    case .options, .connect, .trace, .other: ""
    }
  }

  /// `namespaces/NAME/…` puts what follows into a namespace, except for the namespace's own subresources.
  ///
  /// - Returns: how many segments that were
  private mutating func readNamespace(_ segments: PathSegments, from next: Int) -> Int {
    guard segments.count - next > 1, segments.equals(next, "namespaces") else { return 0 }
    self.namespace = segments.text(next + 1)
    guard segments.count - next > 2 else { return 0 }
    return segments.equals(next + 2, "finalize") || segments.equals(next + 2, "status") ? 0 : 2
  }

  private mutating func readObject(_ segments: PathSegments, from next: Int) {
    self.parts = (next..<segments.count).map(segments.text)
    self.resource = self.parts.first ?? ""
    if self.parts.count >= 2 { self.name = self.parts[1] }
    // Behind the old `/proxy/` prefix the third part belongs to the backend.
    if self.parts.count >= 3 && self.verb != "proxy" { self.subresource = self.parts[2] }
  }

  /// A get or delete without a name is of the collection. What the path made a watch stays one, and its `fieldSelector`
  /// gives it no name.
  private mutating func readCollection(of query: String?) {
    guard self.name.isEmpty else { return }
    switch self.verb {
    case "get":
      let options = ListQuery(query)
      self.verb = options.watches ? "watch" : "list"
      if let name = options.name { self.name = name }
    case "delete":
      self.verb = "deletecollection"
    default:
      break
    }
  }
}
