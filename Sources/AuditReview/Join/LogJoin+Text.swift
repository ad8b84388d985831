extension LogJoin.Difference {
  /// One line for people.
  public var text: String {
    let what: String
    switch self.kind {
    case .onlyAtAPIServer: what = "around the proxy"
    case .onlyAtSallyport: what = "not at the API server"
    case .different: what = "different"
    }
    return
      "\(self.time)  \(what): \(self.user) from \(self.address)  \(self.verb) \(self.uri)  (auditID \(self.auditID))\(self.detail.map { ": \($0)" } ?? "")"
      .withoutControls
  }
}

extension LogJoin.Result {
  public var text: String {
    "\(self.matched) in both logs (\(self.different) different), \(self.onlyAtAPIServer) around the proxy, \(self.onlyAtSallyport) not at the API server, \(self.ownComponents) of the cluster's own components\n"
  }
}
