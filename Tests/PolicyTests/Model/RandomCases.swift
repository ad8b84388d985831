import TestSupport

/// Random rules and requests from a small world, so that they meet often.
struct RandomCases {
  var random: Chance

  init(seed: UInt64) { self.random = Chance(seed: seed) }

  // MARK: - The world

  static let catalogue: [RuleModel.Operation] = {
    var operations: [RuleModel.Operation] = []
    func add(_ prefix: String, _ group: String, _ resource: String, _ kind: String, _ subresources: [(String, String)] = []) {
      let all = "\(prefix)/\(resource)"
      let some = "\(prefix)/namespaces/{namespace}/\(resource)"
      let one = "\(some)/{name}"
      for (id, method, path) in [
        ("list\(group)\(kind)ForAllNamespaces", "GET", all), ("list\(group)Namespaced\(kind)", "GET", some),
        ("create\(group)Namespaced\(kind)", "POST", some), ("deleteCollection\(group)Namespaced\(kind)", "DELETE", some),
        ("read\(group)Namespaced\(kind)", "GET", one), ("replace\(group)Namespaced\(kind)", "PUT", one),
        ("patch\(group)Namespaced\(kind)", "PATCH", one), ("delete\(group)Namespaced\(kind)", "DELETE", one),
        ("watch\(group)\(kind)ListForAllNamespaces", "GET", "\(prefix)/watch/\(resource)"),
        ("watch\(group)Namespaced\(kind)List", "GET", "\(prefix)/watch/namespaces/{namespace}/\(resource)"),
        ("watch\(group)Namespaced\(kind)", "GET", "\(prefix)/watch/namespaces/{namespace}/\(resource)/{name}"),
      ] {
        operations.append(.init(id: id, method: method, path: path, kind: kind))
      }
      for (subresource, itsKind) in subresources {
        for method in ["GET", "POST", "PUT"] {
          operations.append(
            .init(id: "\(method)\(group)\(kind)_\(subresource)", method: method, path: "\(one)/\(subresource)", kind: itsKind))
        }
      }
    }
    add("/api/v1", "CoreV1", "secrets", "Secret")
    add("/api/v1", "CoreV1", "pods", "Pod", [("status", "Pod"), ("exec", "PodExecOptions"), ("log", "Pod"), ("proxy", "PodProxyOptions")])
    add("/apis/apps/v1", "AppsV1", "deployments", "Deployment", [("status", "Deployment"), ("scale", "Scale")])
    operations.append(
      .init(id: "proxyPath", method: "GET", path: "/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}", kind: "PodProxyOptions"))
    operations.append(.init(id: "readNamespace", method: "GET", path: "/api/v1/namespaces/{name}", kind: "Namespace"))
    operations.append(.init(id: "listNamespace", method: "GET", path: "/api/v1/namespaces", kind: "Namespace"))
    operations.append(.init(id: "readNamespaceStatus", method: "GET", path: "/api/v1/namespaces/{name}/status", kind: "Namespace"))
    operations.append(.init(id: "getVersion", method: "GET", path: "/version", kind: nil))
    return operations
  }()

  private static let resources = [
    "secrets", "pods", "deployments", "deployments.apps", "secrets.core", "pods/*", "pods/exec", "pods/log", "*/status", "*/proxy",
    "*.apps", "*.core", "*.core/*",
    "*", "*/*", "namespaces", "p*", "*.apps/scale", "namespaces/status", "things",
  ]
  private static let operationPatterns = [
    "*Secret*", "list*", "readCoreV1*", "watch*", "*Deployment", "proxyPath", "GETCoreV1Pod_exec", "deleteCollection*", "getVersion", "*",
    "listCoreV1NamespacedPod", "watchCoreV1NamespacedPod", "listCoreV1SecretForAllNamespaces",
  ]
  private static let paths = [
    "/api/v1/namespaces/{namespace}/secrets/{name}", "/api/v1/namespaces/{n}/secrets", "/api/v1/secrets", "/api/v1/**", "/apis/**", "/**",
    "/version", "/api/v1/namespaces/{namespace}/{resource}", "/api/v1/namespaces/dev/pods/{name}", "/{a}/{b}/{c}", "/api/v1/watch/**",
    "/api/v1/namespaces/{namespace}/pods/{name}/proxy/**",
  ]
  private static let kinds = ["Secret", "Pod", "Deployment", "Scale", "PodExecOptions", "Namespace"]
  private static let verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "proxy", "*"]
  private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
  private static let namespaces = ["dev", "prod", "p*", "*", "secrets"]
  private static let names = ["s1", "web", "s*", "*", "a"]
  private static let users = ["alice", "bob", "al*", "*", "carol"]
  private static let groups = ["team", "security", "sec*", "system:authenticated", "ops"]

  // MARK: - Drawing

  mutating func one<Item>(_ items: [Item]) -> Item { items[Int(self.random.next() % UInt64(items.count))] }

  mutating func chance(_ percent: UInt64) -> Bool { self.random.next() % 100 < percent }

  private mutating func some(_ items: [String], atMost most: Int = 3) -> [String] {
    var drawn: [String] = []
    for _ in 0...(Int(self.random.next() % UInt64(most))) {
      let item = self.one(items)
      if !drawn.contains(item) { drawn.append(item) }
    }
    return drawn
  }

  mutating func rules() -> RuleModel {
    let deniesByDefault = self.chance(35)
    let usesCatalogue = self.chance(60)
    let count = 1 + Int(self.random.next() % 6)
    let rules = (0..<count).map { number in
      self.rule("r\(number)", denies: self.chance(deniesByDefault ? 40 : 85), usesCatalogue: usesCatalogue)
    }
    return RuleModel(rules: rules, deniesByDefault: deniesByDefault, catalogue: Self.catalogue)
  }

  private mutating func rule(_ name: String, denies: Bool, usesCatalogue: Bool) -> RuleModel.Rule {
    let selectors = (0...Int(self.random.next() % 2)).map { _ in self.selector(denies: denies, usesCatalogue: usesCatalogue) }
    return RuleModel.Rule(
      name: name, denies: denies, selectors: selectors, unless: self.chance(35) ? self.condition() : nil,
      only: self.chance(25) ? self.condition() : nil)
  }

  private mutating func selector(denies: Bool, usesCatalogue: Bool) -> RuleModel.Selector {
    var selector: RuleModel.Selector
    switch self.random.next() % 100 {
    case 0..<45:
      selector = .init(subject: .resources(self.some(Self.resources)))
      if self.chance(60) { selector.verbs = self.some(Self.verbs) }
    case 45..<65:
      selector = .init(subject: .paths(self.some(Self.paths)))
      if self.chance(50) { selector.methods = self.some(Self.methods) }
    case 65..<80 where usesCatalogue:
      selector = .init(subject: .operations(self.some(Self.operationPatterns)))
      if self.chance(30) { selector.methods = self.some(Self.methods) }
    case 80..<92 where usesCatalogue:
      selector = .init(subject: .returns(self.some(Self.kinds)))
    case 92... where denies:
      return .init(subject: .impersonates(users: self.some(Self.users), groups: self.some(Self.groups)))
    default:
      selector = .init(subject: .resources(self.some(Self.resources)), verbs: self.some(Self.verbs))
    }
    if self.chance(25) { selector.namespaces = self.some(Self.namespaces, atMost: 2) }
    if self.chance(15) { selector.names = self.some(Self.names, atMost: 2) }
    return selector
  }

  private mutating func condition() -> RuleModel.Condition {
    var condition = RuleModel.Condition()
    if self.chance(50) { condition.users = self.some(Self.users, atMost: 2) }
    if self.chance(50) { condition.groups = self.some(Self.groups, atMost: 2) }
    if self.chance(25) { condition.namespaces = self.some(Self.namespaces, atMost: 2) }
    if self.chance(10) { condition.names = self.some(Self.names, atMost: 2) }
    if self.chance(10) { condition.authentication = self.some(["clientCertificate", "passwordFile"], atMost: 1) }
    if self.chance(10) { condition.addresses = self.some(["10.", "192."], atMost: 1) }
    if condition.users == nil && condition.groups == nil { condition.groups = ["team"] }
    return condition
  }

  // MARK: - Requests

  mutating func person() -> RuleModel.Person {
    RuleModel.Person(
      user: self.one(["alice", "bob", "carol", "dave"]), groups: self.chance(60) ? self.some(["team", "security", "ops"]) : [])
  }

  mutating func method() -> String {
    self.chance(55) ? "GET" : self.one(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "PROPFIND"])
  }

  mutating func target() -> String {
    var segments = self.one([["api", "v1"], ["api", "v1"], ["apis", "apps", "v1"], ["api", "v2"], ["apis", "example.org", "v1"]])
    if self.chance(15) { segments.append(self.one(["watch", "watch", "watch", "proxy"])) }
    if self.chance(70) { segments += ["namespaces", self.one(["dev", "prod", "pre", "secrets", ""])] }
    if self.chance(95) {
      segments.append(self.one(["secrets", "secrets", "pods", "pods", "deployments", "namespaces", "things", "status"]))
    }
    if self.chance(50) { segments.append(self.one(["s1", "web", "a", "https:s1:443", "secrets"])) }
    if self.chance(25) { segments.append(self.one(["status", "exec", "log", "proxy", "scale", "portforward"])) }
    if self.chance(8) { segments += self.one([["x"], ["x", "y"], ["secrets", "s1"]]) }
    if self.chance(6) { segments = self.one([["version"], ["healthz"], ["api"], ["api", "v1"], ["apis", "apps"], [], ["a", "b", "c"]]) }
    return self.spelled(segments) + self.query()
  }

  /// One of the many spellings of a path; some of them mean something else, and some are refused.
  private mutating func spelled(_ segments: [String]) -> String {
    var path = segments.map { self.spelled(segment: $0) }.reduce("") { path, segment in
      path + (path.isEmpty || !self.chance(5) ? "/" : self.one(["%2F", "%2f", "//"])) + segment
    }
    if path.isEmpty { path = "/" }
    if self.chance(10) { path += self.one(["/", "//", "%2F", "/.", "/.."]) }
    if self.chance(3) { path = self.one(["https://evil.example", "foo://x:1"]) + path }
    return path
  }

  private mutating func spelled(segment: String) -> String {
    switch self.random.next() % 100 {
    case 0..<6:
      let index = self.random.next() % UInt64(max(1, segment.utf8.count))
      return segment.utf8.enumerated().map { offset, byte in
        let hex = String(byte, radix: 16, uppercase: self.chance(50))
        return UInt64(offset) == index ? "%\(hex)" : String(UnicodeScalar(byte))
      }.joined()
    case 6..<8: return segment.uppercased()
    case 8..<9: return segment + ";x"
    case 9..<10: return "%25" + segment
    default: return segment
    }
  }

  private mutating func query() -> String {
    guard self.chance(35) else { return "" }
    let pairs = (0...Int(self.random.next() % 2)).map { _ in
      self.one([
        "watch=1", "watch", "watch=0", "watch=false", "watch=FALSE", "watch=true", "%77atch=1", "Watch=1", "watch=1;x", "watch=%zz",
        "limit=5",
        "fieldSelector=metadata.name=s1", "fieldSelector=metadata.name%3Dweb",
        "fieldSelector=metadata.name%3Ds1,type%3DOpaque", "fieldSelector=type=Opaque,metadata.name=web", "pretty=true", "labelSelector=a=b",
        "dryRun=All", "",
      ])
    }
    return "?" + pairs.joined(separator: "&")
  }
}
