/// API descriptions of a server's own: an index, and a document for each group.
enum ServerDescription {
  static let index = #"{"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=A"}}}"#
  /// With an API that was installed meanwhile.
  static let indexWithWidgets =
    #"{"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=A"},"apis/example.org/v1":{"serverRelativeURL":"/openapi/v3/apis/example.org/v1?hash=B"}}}"#

  static let core = Self.document("/api/v1", "", [("pods", "Pod"), ("secrets", "Secret")], "io.k8s.api.core.v1")
  static let widgets = Self.document("/apis/example.org/v1", "example.org", [("widgets", "Widget")], "org.example.v1")

  private static func document(_ prefix: String, _ group: String, _ kinds: [(String, String)], _ package: String) -> String {
    let paths = kinds.flatMap { resource, kind in
      [
        #""\#(prefix)/namespaces/{namespace}/\#(resource)": {"get": \#(self.operation("list\(kind)", "list", group, kind))}"#,
        #""\#(prefix)/namespaces/{namespace}/\#(resource)/{name}": {"get": \#(self.operation("read\(kind)", "get", group, kind))}"#,
      ]
    }
    let schemas = kinds.map { _, kind in
      #""\#(package).\#(kind)": {"type": "object", "x-kubernetes-group-version-kind": [\#(self.kind(group, kind))]}"#
    }
    return #"{"openapi":"3.0.0","info":{"title":"t","version":"1"},"paths":{\#(paths.joined(separator: ","))},"#
      + #""components":{"schemas":{\#(schemas.joined(separator: ","))}}}"#
  }

  private static func operation(_ id: String, _ action: String, _ group: String, _ kind: String) -> String {
    #"{"operationId":"\#(id)","x-kubernetes-action":"\#(action)","x-kubernetes-group-version-kind":\#(self.kind(group, kind)),"#
      + #""responses":{"200":{"description":"ok"}}}"#
  }

  private static func kind(_ group: String, _ kind: String) -> String { #"{"group":"\#(group)","version":"v1","kind":"\#(kind)"}"# }
}
