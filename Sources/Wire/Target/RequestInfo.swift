/// A request as the Kubernetes API server reads it.
///
/// Follows `RequestInfoFactory.NewRequestInfo` of k8s.io/apiserver (pkg/endpoints/request), held against the readings
/// that a real server 1.36 recorded in its own audit log.
public struct RequestInfo: Sendable, Hashable {
  /// Whether the path names a resource under `/api` or `/apis`.
  public var isResourceRequest: Bool
  /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for a non-resource request the
  /// method in lower case; empty for a method that the server gives no verb.
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
  public init(method: Method, target: RequestTarget) {
    fatalError("being written")
  }
}

/// How an upstream reads paths, and so which spellings are one way only there.
public enum PathReading: Sendable, Hashable {
  /// As kube-apiserver does: what it serves under an unusual spelling is understood, everything else unusual is refused.
  case kubernetes
  /// No Kubernetes object is read into the path, and every ambiguous spelling is refused.
  case generic
}

extension RequestTarget {
  /// Why the target cannot be read one way only at an upstream of this kind; `nil` when it can.
  ///
  /// The answer is 400, and the reason may be shown to the client.
  public func ambiguity(for reading: PathReading) -> MalformedMessage? {
    fatalError("being written")
  }
}
