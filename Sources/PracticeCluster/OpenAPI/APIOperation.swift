/// One operation of the API: a method on a path, as the OpenAPI documents describe it.
struct APIOperation: Sendable {
  struct Kind: Sendable, Hashable {
    let group: String
    let version: String
    let kind: String
  }

  enum Content: Sendable {
    case none
    case schema(String)
    /// Any of the four kinds of patch.
    case patch
    case text
  }

  /// `/api/v1/namespaces/{namespace}/secrets/{name}`
  let path: String
  /// In lower case.
  let method: String
  let id: String
  let summary: String
  /// `x-kubernetes-action`
  var action: String?
  /// `x-kubernetes-group-version-kind`
  var kind: Kind?
  let tag: String
  var query: [QueryParameter] = []
  var body = Content.none
  var answer = Content.none

  var pathParameters: [String] { ["name", "namespace"].filter { self.path.contains("{\($0)}") } }
  /// The document of OpenAPI v3 that it is in: `api/v1`, `apis/apps`, `version`.
  let document: String
}

/// A parameter of a query, by its name.
struct QueryParameter: Sendable {
  let name: String
  var type = "string"
  let summary: String

  static let list = [
    QueryParameter(name: "allowWatchBookmarks", type: "boolean", summary: "a watch also tells the revision that it has reached"),
    QueryParameter(name: "continue", summary: "the token of the page before"),
    QueryParameter(name: "fieldSelector", summary: "only objects whose fields match"),
    QueryParameter(name: "labelSelector", summary: "only objects whose labels match"),
    QueryParameter(name: "limit", type: "integer", summary: "the most objects of a page"),
    QueryParameter(name: "resourceVersion", summary: "the revision to begin from"),
    QueryParameter(name: "resourceVersionMatch", summary: "how the revision is meant"),
    QueryParameter(name: "sendInitialEvents", type: "boolean", summary: "a watch begins with all objects and tells where they end"),
    QueryParameter(name: "timeoutSeconds", type: "integer", summary: "how long a watch lasts"),
    QueryParameter(name: "watch", type: "boolean", summary: "follow the changes instead of listing"),
  ]
  /// What chooses the objects of a collection that are deleted.
  static let selection = list.filter { ["fieldSelector", "labelSelector", "limit"].contains($0.name) }
  static let dryRun = QueryParameter(name: "dryRun", summary: "All: answer, but change nothing")
  static let write = [
    dryRun, QueryParameter(name: "fieldManager", summary: "who writes, for managedFields"),
    QueryParameter(name: "fieldValidation", summary: "what to do about unknown fields: Ignore, Warn, Strict"),
  ]
  static let patch = write + [QueryParameter(name: "force", type: "boolean", summary: "an apply takes fields from other managers")]
  static let delete = [
    dryRun, QueryParameter(name: "gracePeriodSeconds", type: "integer", summary: "has no effect here: objects go at once"),
    QueryParameter(name: "orphanDependents", type: "boolean", summary: "deprecated: use propagationPolicy"),
    QueryParameter(name: "propagationPolicy", summary: "what becomes of dependents: Orphan, Background, Foreground"),
  ]
  static let log = [
    QueryParameter(name: "container", summary: "the container; the only one by default"),
    QueryParameter(name: "follow", type: "boolean", summary: "go on with what is logged from now on"),
    QueryParameter(name: "limitBytes", type: "integer", summary: "the most bytes of the answer"),
    QueryParameter(name: "tailLines", type: "integer", summary: "only this many lines from the end"),
    QueryParameter(name: "timestamps", type: "boolean", summary: "each line begins with its time"),
  ]

  /// What a way into a pod takes.
  static func connect(_ subresource: String) -> [QueryParameter] {
    if subresource == "portforward" {
      return [QueryParameter(name: "ports", type: "integer", summary: "the ports; needed by a WebSocket with channels")]
    }
    let command = QueryParameter(name: "command", summary: "the command and its arguments, each a parameter of its own")
    return (subresource == "exec" ? [command] : []) + [
      QueryParameter(name: "container", summary: "the container; the only one by default"),
      QueryParameter(name: "stderr", type: "boolean", summary: "the client hears the errors"),
      QueryParameter(name: "stdin", type: "boolean", summary: "the client sends an input"),
      QueryParameter(name: "stdout", type: "boolean", summary: "the client hears the output"),
      QueryParameter(name: "tty", type: "boolean", summary: "a terminal stands between"),
    ]
  }
}
