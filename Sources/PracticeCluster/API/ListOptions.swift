import struct Foundation.Data

/// The query of a list or watch, read as `ListOptions` (apimachinery pkg/apis/meta/v1).
struct ListOptions: Sendable {
  var labels: LabelSelector
  var fields: FieldSelector
  var limit: Int64
  var continuation: ContinueToken?
  /// Empty where the client states none.
  var resourceVersion: String
  var resourceVersionMatch: String
  var timeoutSeconds: Int64?
  var allowsBookmarks: Bool
  var sendsInitialEvents: Bool

  init(_ query: GoQuery, for type: ResourceType) throws(APIError) {
    self.labels = try query["labelSelector"].map(LabelSelector.init) ?? .everything
    self.fields = try query["fieldSelector"].map(FieldSelector.init) ?? .everything
    self.limit = try query["limit"].map(Self.integer) ?? 0
    self.timeoutSeconds = try query["timeoutSeconds"].map(Self.integer)
    self.resourceVersion = query["resourceVersion"] ?? ""
    self.resourceVersionMatch = query["resourceVersionMatch"] ?? ""
    self.allowsBookmarks = query.flag("allowWatchBookmarks")
    self.sendsInitialEvents = query.flag("sendInitialEvents")
    self.continuation = nil
    try self.fields.check(for: type)
    if let text = query["continue"], !text.isEmpty { self.continuation = try ContinueToken(text) }
  }

  /// The revision that the client states.
  ///
  /// - Throws: 400 for text that is no number
  func revision() throws(APIError) -> Int? {
    if self.resourceVersion.isEmpty { return nil }
    guard let revision = Int(self.resourceVersion), revision >= 0 else {
      throw .badRequest(
        "Invalid value: \(self.resourceVersion.quoted): strconv.ParseUint: parsing \(self.resourceVersion.quoted): invalid syntax")
    }
    return revision
  }

  private static func integer(_ text: String) throws(APIError) -> Int64 {
    if text.isEmpty { return 0 }
    guard let number = Int64(text) else { throw .badRequest("strconv.ParseInt: parsing \(text.quoted): invalid syntax") }
    return number
  }
}

/// Where the next page of a list begins: base64 over JSON, as in Kubernetes, and as little to be relied on.
///
/// Unlike etcd the practice cluster keeps no old states: a later page shows the objects as they are then.
struct ContinueToken: Sendable, Hashable {
  let after: ObjectKey

  init(after: ObjectKey) { self.after = after }

  init(_ text: String) throws(APIError) {
    guard let data = Data(base64Encoded: text) else {
      throw .badRequest("invalid continue token: continue key is not valid: illegal base64 data")
    }
    guard let json = try? JSONReader.read(data), json["v"]?.string == "practice/v1", let namespace = json["ns"]?.string,
      let name = json["name"]?.string
    else { throw .badRequest("invalid continue token: continue key is not valid: unrecognized encoded value") }
    self.after = ObjectKey(namespace: namespace, name: name)
  }

  var text: String {
    let json: JSON = ["v": "practice/v1", "ns": .string(self.after.namespace), "name": .string(self.after.name)]
    return Data(json.bytes).base64EncodedString()
  }
}
