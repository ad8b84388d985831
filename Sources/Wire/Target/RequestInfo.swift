/// A request as the Kubernetes API server reads it.
///
/// Follows `RequestInfoFactory.NewRequestInfo` of k8s.io/apiserver (pkg/endpoints/request), held against the readings
/// that a real server 1.36 recorded in its own audit log. Every comparison is of bytes: Swift's `Character` would join a
/// slash with a combining accent behind it.
public struct RequestInfo: Sendable, Hashable {
  /// Whether the path names a resource under `/api` or `/apis`.
  public var isResourceRequest: Bool
  /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for a non-resource request the
  /// method in lower case; empty for a method that the server gives no verb. `watch` and `proxy` also where the path
  /// asks for them (`/api/v1/watch/…`), whatever the method.
  public var verb: String
  /// `api` or `apis`, empty for a non-resource request.
  public var apiPrefix: String
  /// Empty for the core group.
  public var apiGroup: String
  public var apiVersion: String
  /// Empty where the request names none, and for all namespaces.
  public var namespace: String
  public var resource: String
  public var subresource: String
  /// The object's name; for list and watch the one that `fieldSelector=metadata.name=` asks for.
  public var name: String
  /// The decoded path's segments behind the resource: resource, name, subresource, and what comes after.
  public var parts: [String]
  /// The decoded path, for non-resource rules.
  public var path: String

  /// Reads a request.
  ///
  /// The server refuses `/api/v1/watch` and `/api/v1/proxy` with nothing behind them (500); here they name no resource.
  public init(method: Method, target: RequestTarget) {
    self.init(nonResource: target.path, method: method)
    let segments = Self.segments(of: target.path)
    guard segments.count >= 3 else { return }
    var rest = segments[...]
    switch segments[0] {
    case "api":
      self.apiPrefix = "api"
      rest.removeFirst()
    case "apis":
      guard segments.count >= 4 else { return }
      self.apiPrefix = "apis"
      self.apiGroup = String(segments[1])
      rest.removeFirst(2)
    default:
      return
    }
    self.isResourceRequest = true
    self.apiVersion = String(rest.removeFirst())

    if rest.first == "watch" || rest.first == "proxy" {
      guard rest.count > 1 else { return }
      self.verb = String(rest.removeFirst())
    } else {
      self.verb = Self.verb(of: method)
    }
    self.readNamespace(&rest)
    self.readObject(rest)
    self.readCollection(of: target.query)
  }

  private init(nonResource path: String, method: Method) {
    self.isResourceRequest = false
    self.verb = method.description.lowercased()
    self.apiPrefix = ""
    self.apiGroup = ""
    self.apiVersion = ""
    self.namespace = ""
    self.resource = ""
    self.subresource = ""
    self.name = ""
    self.parts = []
    self.path = path
  }

  /// The path split at slashes, those at both ends taken away first.
  static func segments(of path: String) -> [Substring] {
    let bytes = path.utf8
    let slash = UInt8(ascii: "/")
    guard let first = bytes.firstIndex(where: { $0 != slash }), let last = bytes.lastIndex(where: { $0 != slash }) else { return [] }
    return bytes[first...last].split(separator: slash, omittingEmptySubsequences: false).map { Substring($0) }
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
  private mutating func readNamespace(_ rest: inout ArraySlice<Substring>) {
    guard rest.first == "namespaces", rest.count > 1 else { return }
    self.namespace = String(rest[rest.startIndex + 1])
    guard rest.count > 2 else { return }
    let third = rest[rest.startIndex + 2]
    if third != "finalize" && third != "status" { rest.removeFirst(2) }
  }

  private mutating func readObject(_ rest: ArraySlice<Substring>) {
    self.parts = rest.map(String.init)
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
