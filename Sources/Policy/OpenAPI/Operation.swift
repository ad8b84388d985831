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
  /// Whether the last segment of `path` stands for the rest of a request's path, however many segments that has: the
  /// backend's path behind a Kubernetes `proxy` subresource, and `/logs/{logpath}`.
  public let isOpenEnded: Bool

  public init(
    id: String, method: Method, path: String, action: String? = nil, kind: GroupVersionKind? = nil, isOpenEnded: Bool = false
  ) {
    self.id = id
    self.method = method
    self.path = path
    self.action = action
    self.kind = kind
    self.isOpenEnded = isOpenEnded
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
///
/// No two operations have the same `id`, nor the same method and templates of the same shape.
public struct Catalogue: Sendable {
  /// In the order of the documents.
  public let operations: [Operation]
  /// The kind of object that a component schema is, by the schema's name (`io.k8s.api.core.v1.Secret`), so that a rule's
  /// `returns` can be judged by group, version and kind; list kinds map to their item's kind.
  public let kindsBySchema: [String: GroupVersionKind]
  /// Which schemas hold which.
  let schemas: SchemaGraph
  /// For each operation what its answers refer to, as nodes of `schemas`; empty where no document said.
  let answers: [[SchemaGraph.Node]]

  public init(operations: [Operation], kindsBySchema: [String: GroupVersionKind]) {
    self.init(operations: operations, kindsBySchema: kindsBySchema, schemas: SchemaGraph(), answers: [])
  }

  init(operations: [Operation], kindsBySchema: [String: GroupVersionKind], schemas: SchemaGraph, answers: [[SchemaGraph.Node]]) {
    self.operations = operations
    self.kindsBySchema = kindsBySchema
    self.schemas = schemas
    self.answers = answers
  }
}
