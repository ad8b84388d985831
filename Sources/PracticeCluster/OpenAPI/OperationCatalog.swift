/// All operations, made from the resource catalogue, with the names that Kubernetes gives them.
enum OperationCatalog {
  static let all: [APIOperation] = discovery + ResourceCatalog.all.flatMap { Operations(of: $0).all }

  /// `Core`, `Apps`, `Authentication`
  static func title(of group: String) -> String {
    let word = group.isEmpty ? "core" : String(group.prefix { $0 != "." })
    return word.prefix(1).uppercased() + word.dropFirst()
  }

  static func root(of group: String) -> String { group.isEmpty ? "/api" : "/apis/\(group)" }

  private static let discovery: [APIOperation] = {
    func get(_ path: String, _ id: String, _ tag: String, _ document: String) -> APIOperation {
      APIOperation(path: path, method: "get", id: id, summary: "what is served here", tag: tag, document: document)
    }
    var operations = [
      get("/api/", "getCoreAPIVersions", "core", "api"), get("/apis/", "getAPIVersions", "apis", "apis"),
      get("/version/", "getCodeVersion", "version", "version"),
    ]
    for group in [""] + ResourceCatalog.groups {
      let root = root(of: group)
      let title = title(of: group)
      if !group.isEmpty { operations.append(get("\(root)/", "get\(title)APIGroup", title.lowercased(), "apis/\(group)")) }
      let document = "\(root.dropFirst())/v1"
      operations.append(get("\(root)/v1/", "get\(title)V1APIResources", "\(title.lowercased())_v1", document))
    }
    return operations
  }()
}

/// The operations of one type.
private struct Operations {
  private let type: ResourceType
  private let prefix: String
  private let scope: String
  private let root: String
  private let collection: String
  private let kind: APIOperation.Kind

  init(of type: ResourceType) {
    self.type = type
    self.prefix = "\(OperationCatalog.title(of: type.group))V1"
    self.scope = type.isNamespaced ? "Namespaced" : ""
    self.root = "\(OperationCatalog.root(of: type.group))/\(type.version)"
    self.collection = "\(self.root)/\(type.isNamespaced ? "namespaces/{namespace}/" : "")\(type.plural)"
    self.kind = APIOperation.Kind(group: type.group, version: type.version, kind: type.kind)
  }

  var all: [APIOperation] { self.own + self.lists + self.watches + self.type.subresources.flatMap(self.operations) }

  private func operation(
    _ method: String, _ path: String, _ id: String, _ summary: String, action: String, query: [QueryParameter] = [],
    body: APIOperation.Content = .none, answer: APIOperation.Content, kind: APIOperation.Kind? = nil
  ) -> APIOperation {
    APIOperation(
      path: path, method: method, id: id, summary: summary, action: action, kind: kind ?? self.kind,
      tag: "\(OperationCatalog.title(of: self.type.group).lowercased())_v1", query: query, body: body, answer: answer,
      document: String(self.root.dropFirst()))
  }

  /// What is done to objects by themselves.
  private var own: [APIOperation] {
    let one = "\(self.collection)/{name}"
    let object = APIOperation.Content.schema(self.type.kind)
    let name = "\(self.prefix)\(self.scope)\(self.type.kind)"
    let kind = self.type.kind
    return self.type.verbs.compactMap { verb in
      switch verb {
      case "get": self.operation("get", one, "read\(name)", "read the specified \(kind)", action: "get", answer: object)
      case "create":
        self.operation(
          "post", self.collection, "create\(name)", "create a \(kind)", action: "post", query: QueryParameter.write, body: object,
          answer: object)
      case "update":
        self.operation(
          "put", one, "replace\(name)", "replace the specified \(kind)", action: "put", query: QueryParameter.write, body: object,
          answer: object)
      case "patch":
        self.operation(
          "patch", one, "patch\(name)", "change parts of the specified \(kind)", action: "patch", query: QueryParameter.patch, body: .patch,
          answer: object)
      case "delete":
        self.operation(
          "delete", one, "delete\(name)", "delete a \(kind)", action: "delete", query: QueryParameter.delete,
          body: .schema("DeleteOptions"),
          answer: self.type.returnsDeletedObject && self.type.isNamespaced ? object : .schema("Status"))
      case "deletecollection":
        self.operation(
          "delete", self.collection, "delete\(self.prefix)Collection\(self.scope)\(kind)", "delete all selected objects of kind \(kind)",
          action: "deletecollection", query: QueryParameter.delete + QueryParameter.selection,
          body: .schema("DeleteOptions"), answer: .schema(self.type.listKind))
      default: nil
      }
    }
  }

  private var lists: [APIOperation] {
    guard self.type.verbs.contains("list") else { return [] }
    let kind = self.type.kind
    var lists = [
      self.operation(
        "get", self.collection, "list\(self.prefix)\(self.scope)\(kind)", "list or watch objects of kind \(kind)", action: "list",
        query: QueryParameter.list, answer: .schema(self.type.listKind))
    ]
    if self.type.isNamespaced {
      lists.append(
        self.operation(
          "get", "\(self.root)/\(self.type.plural)", "list\(self.prefix)\(kind)ForAllNamespaces", "list or watch objects of kind \(kind)",
          action: "list", query: QueryParameter.list, answer: .schema(self.type.listKind)))
    }
    return lists
  }

  /// The deprecated paths with `/watch/` in them.
  private var watches: [APIOperation] {
    guard self.type.verbs.contains("watch") else { return [] }
    let kind = self.type.kind
    let path = "\(self.root)/watch\(self.collection.dropFirst(self.root.count))"
    func watch(_ path: String, _ id: String, _ action: String) -> APIOperation {
      self.operation(
        "get", path, id, "watch objects of kind \(kind); use the parameter watch instead", action: action, query: QueryParameter.list,
        answer: .schema("WatchEvent"))
    }
    var watches = [
      watch("\(path)/{name}", "watch\(self.prefix)\(self.scope)\(kind)", "watch"),
      watch(path, "watch\(self.prefix)\(self.scope)\(kind)List", "watchlist"),
    ]
    if self.type.isNamespaced {
      watches.append(watch("\(self.root)/watch/\(self.type.plural)", "watch\(self.prefix)\(kind)ListForAllNamespaces", "watchlist"))
    }
    return watches
  }

  private func operations(of subresource: ResourceType.Subresource) -> [APIOperation] {
    let path = "\(self.collection)/{name}/\(subresource.name)"
    let title = subresource.name.prefix(1).uppercased() + subresource.name.dropFirst()
    let name = "\(self.prefix)\(self.scope)\(self.type.kind)\(title)"
    let kind = APIOperation.Kind(
      group: subresource.group ?? self.type.group, version: subresource.version ?? self.type.version,
      kind: subresource.kind ?? self.type.kind)
    if APIServer.streamingSubresources.contains(subresource.name) {
      // One operation for each method that opens a connection: WebSocket's GET, SPDY's POST.
      return ["get", "post"].map { method in
        self.operation(
          method, path, "connect\(self.prefix)\(method == "get" ? "Get" : "Post")\(self.scope)\(self.type.kind)\(title)",
          "connect \(method.uppercased()) requests to \(subresource.name) of \(self.type.kind)", action: "connect",
          query: QueryParameter.connect(subresource.name), answer: .text, kind: kind)
      }
    }
    let isLog = subresource.name == "log"
    let object: APIOperation.Content = isLog ? .text : .schema(kind.kind)
    let what = "\(subresource.name) of the specified \(self.type.kind)"
    return subresource.verbs.compactMap { verb in
      switch verb {
      case "get":
        self.operation(
          "get", path, "read\(name)", "read \(what)", action: "get", query: isLog ? QueryParameter.log : [], answer: object, kind: kind)
      case "create":
        self.operation(
          "post", path, "create\(name)", "create \(what)", action: "post", query: QueryParameter.write, body: object, answer: object,
          kind: kind)
      case "update":
        self.operation(
          "put", path, "replace\(name)", "replace \(what)", action: "put", query: QueryParameter.write, body: object, answer: object,
          kind: kind)
      case "patch":
        self.operation(
          "patch", path, "patch\(name)", "change parts of \(what)", action: "patch", query: QueryParameter.patch, body: .patch,
          answer: object,
          kind: kind)
      default: nil
      }
    }
  }
}
