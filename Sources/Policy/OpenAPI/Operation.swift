public import SallyportWire

/// One operation of an API, as an OpenAPI document describes it.
public struct Operation: Sendable, Hashable {
  /// The `operationId`; unique in a catalogue. Where a document gives none, one is made of method and path.
  public let id: String
  public let method: Method
  /// The path template, `/api/v1/namespaces/{namespace}/secrets/{name}`.
  public let path: String
  /// `x-kubernetes-action`: get, list, watch, watchlist, post, put, patch, delete, deletecollection, connect; `nil` without.
  public let action: String?
  /// `x-kubernetes-group-version-kind`; `nil` without.
  public let kind: GroupVersionKind?

  public init(id: String, method: Method, path: String, action: String? = nil, kind: GroupVersionKind? = nil) {
    self.id = id
    self.method = method
    self.path = path
    self.action = action
    self.kind = kind
  }
}

/// A kind of object in Kubernetes; the core group is the empty one.
public struct GroupVersionKind: Sendable, Hashable {
  public let group: String
  public let version: String
  public let kind: String

  public init(group: String, version: String, kind: String) {
    self.group = group
    self.version = version
    self.kind = kind
  }
}

/// The operations of an upstream's API, from one document or several.
public struct Catalogue: Sendable {
  /// In the order of the documents.
  public let operations: [Operation]
  /// The kind of object that a component schema is, by the schema's name (`io.k8s.api.core.v1.Secret`), so that a rule's
  /// `returns` can be judged by group, version and kind; list kinds map to their item's kind.
  public let kindsBySchema: [String: GroupVersionKind]

  public init(operations: [Operation], kindsBySchema: [String: GroupVersionKind]) {
    self.operations = operations
    self.kindsBySchema = kindsBySchema
  }
}
