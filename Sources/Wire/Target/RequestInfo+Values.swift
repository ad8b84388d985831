extension RequestInfo {
  /// A reading with these values, for tests and for whoever has a reading from elsewhere.
  public init(
    isResourceRequest: Bool, verb: String, apiPrefix: String = "", apiGroup: String = "", apiVersion: String = "", namespace: String = "",
    resource: String = "", subresource: String = "", name: String = "", parts: [String] = [], path: String = "/"
  ) {
    self.isResourceRequest = isResourceRequest
    self.verb = verb
    self.apiPrefix = apiPrefix
    self.apiGroup = apiGroup
    self.apiVersion = apiVersion
    self.namespace = namespace
    self.resource = resource
    self.subresource = subresource
    self.name = name
    self.parts = parts
    self.path = path
  }
}
