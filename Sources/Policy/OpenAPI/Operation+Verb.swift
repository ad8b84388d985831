import SallyportWire

extension Operation {
  /// The verb by which a rule's `verbs` names what the operation does; `nil` for an operation that is no request for a
  /// Kubernetes resource.
  ///
  /// `x-kubernetes-action` has words of its own for some: `post`, `put`, `watchlist`, and `connect` for what goes on in
  /// another protocol or at another server, whose verb is that of its method.
  public var verb: String? {
    switch self.action {
    case nil: nil
    case "post": "create"
    case "put": "update"
    case "watchlist": "watch"
    case "connect":
      switch self.method {
      case .post: "create"
      case .put: "update"
      case .patch: "patch"
      case .delete: "delete"
      default: "get"
      }
    case .some(let action): action
    }
  }
}
