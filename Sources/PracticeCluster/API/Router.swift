/// Where a request goes by its method and decoded path.
///
/// This is go-restful's reading, by which kube-apiserver routes: a web service is found by a prefix of the path as it is
/// (so `//api` finds none), then the path's tokens are matched one by one after slashes at both ends are trimmed; inner
/// slashes are never merged. The only empty token that matches is a namespace, which then means all of them.
enum Route: Sendable {
  case resource(ResourceRoute)
  case version, coreVersions, groupList
  case group(String)
  case resourceList(group: String)
  case health(String)
  case openAPIv2
  case openAPIv3(String)
  case metrics
  /// The path is served, but not for this method.
  case methodNotAllowed
  /// A path below a web service that it does not know.
  case notFound
  /// A path that no web service has: answered in plain text.
  case unknownPath
  /// `OPTIONS *`: answered by the HTTP library itself.
  case serverOptions

  init(method: String, path: String) {
    if path == "*" {
      self = method == "OPTIONS" ? .serverOptions : .unknownPath
      return
    }
    let tokens = path.trimmingSlashes.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let route = Self.webService(method: method, path: path, tokens: tokens) ?? Self.plain(path) ?? .unknownPath
    self = route
  }

  private static func plain(_ path: String) -> Route? {
    switch path {
    case "/healthz", "/livez", "/readyz": .health(path)
    case "/openapi/v2": .openAPIv2
    case "/openapi/v3": .openAPIv3("")
    case "/metrics": .metrics
    default: path.hasPrefix("/openapi/v3/") ? .openAPIv3(String(path.dropFirst("/openapi/v3/".count))) : nil
    }
  }

  private static func webService(method: String, path: String, tokens: [String]) -> Route? {
    func has(_ root: String) -> Bool { path == root || path.hasPrefix("\(root)/") }
    func reading(_ route: Route) -> Route { method == "GET" ? route : .methodNotAllowed }
    if path == "/apis" || path == "/apis/" { return reading(.groupList) }
    if has("/version") { return tokens.count == 1 ? reading(.version) : .notFound }
    if has("/api") {
      guard tokens.count > 1 else { return reading(.coreVersions) }
      guard has("/api/v1") else { return .notFound }
      let rest = Array(tokens.dropFirst(2))
      return rest.isEmpty ? reading(.resourceList(group: "")) : ResourceRoute.find(method: method, group: "", tokens: rest)
    }
    guard let group = ResourceCatalog.groups.first(where: { has("/apis/\($0)") }) else { return nil }
    guard tokens.count > 2 else { return reading(.group(group)) }
    guard has("/apis/\(group)/v1") else { return .notFound }
    let rest = Array(tokens.dropFirst(3))
    return rest.isEmpty ? reading(.resourceList(group: group)) : ResourceRoute.find(method: method, group: group, tokens: rest)
  }
}

/// A route to objects.
struct ResourceRoute: Sendable, Hashable {
  enum Operation: String, Sendable {
    case get, list, watch, create, update, patch, delete, deletecollection
  }

  let type: ResourceType
  /// Empty for all namespaces, and for a type that has none.
  let namespace: String
  /// Whether the path had a place for a namespace.
  let isNamespaced: Bool
  /// Empty for a collection.
  let name: String
  let subresource: String
  let operation: Operation

  /// Finds the route below `/api/v1` or `/apis/GROUP/v1`.
  static func find(method: String, group: String, tokens: [String]) -> Route {
    if tokens.first == "watch" { return self.legacyWatch(method: method, group: group, tokens: Array(tokens.dropFirst())) }
    guard let place = Place(group: group, tokens: tokens) else { return .notFound }
    guard let operation = place.operation(method: method) else { return .methodNotAllowed }
    return .resource(place.route(operation))
  }

  /// The watch paths of the first versions: `/watch/secrets`, `/watch/namespaces/dev/secrets/s1`; no parameter turns them off.
  private static func legacyWatch(method: String, group: String, tokens: [String]) -> Route {
    guard let place = Place(group: group, tokens: tokens), place.subresource.isEmpty, place.type.verbs.contains("watch"),
      place.isNamespaced || !place.type.isNamespaced || place.name.isEmpty
    else { return .notFound }
    return method == "GET" ? .resource(place.route(.watch)) : .methodNotAllowed
  }

  /// What the tokens of a path name.
  private struct Place {
    let type: ResourceType
    var namespace = ""
    var isNamespaced = false
    var name = ""
    var subresource = ""

    init?(group: String, tokens: [String]) {
      func type(_ plural: String) -> ResourceType? { ResourceCatalog.type(group: group, version: "v1", plural: plural) }
      let ownTokens: ArraySlice<String>
      if tokens.count >= 3, tokens[0] == "namespaces", let found = type(tokens[2]), found.isNamespaced {
        self.type = found
        self.namespace = tokens[1]
        self.isNamespaced = true
        ownTokens = tokens.dropFirst(3)
      } else if let plural = tokens.first, let found = type(plural), !found.isNamespaced || tokens.count == 1 {
        self.type = found
        ownTokens = tokens.dropFirst()
      } else {
        return nil
      }
      guard ownTokens.count <= 2 else { return nil }
      if let name = ownTokens.first {
        // An empty token only stands for a namespace: `secrets//s1` is no route.
        guard !name.isEmpty else { return nil }
        self.name = name
      }
      if let subresource = ownTokens.dropFirst().first {
        guard self.type.subresources.contains(where: { $0.name == subresource }) else { return nil }
        self.subresource = subresource
      }
    }

    func operation(method: String) -> Operation? {
      let operation: Operation
      switch (method, self.name.isEmpty) {
      case ("GET", true): operation = .list
      case ("GET", false): operation = .get
      case ("POST", true): operation = .create
      case ("POST", false) where !self.subresource.isEmpty: operation = .create
      case ("PUT", false): operation = .update
      case ("PATCH", false): operation = .patch
      case ("DELETE", false): operation = .delete
      case ("DELETE", true): operation = .deletecollection
      default: return nil
      }
      // The collection of all namespaces can only be read.
      if self.type.isNamespaced, !self.isNamespaced, operation != .list { return nil }
      let verbs =
        self.subresource.isEmpty ? self.type.verbs : self.type.subresources.first { $0.name == self.subresource }.map(\.verbs) ?? []
      return verbs.contains(operation.rawValue) ? operation : nil
    }

    func route(_ operation: Operation) -> ResourceRoute {
      ResourceRoute(
        type: self.type, namespace: self.namespace, isNamespaced: self.isNamespaced, name: self.name, subresource: self.subresource,
        operation: operation)
    }
  }
}
