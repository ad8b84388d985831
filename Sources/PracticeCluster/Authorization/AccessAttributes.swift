/// What a request would do, as the authorizer is asked.
struct AccessAttributes: Sendable, Hashable {
  var verb: String
  var group = ""
  var version = ""
  var resource = ""
  var subresource = ""
  var namespace = ""
  var name = ""
  var path = ""

  /// `pods/log`
  var qualifiedResource: String { self.subresource.isEmpty ? self.resource : "\(self.resource)/\(self.subresource)" }
}
