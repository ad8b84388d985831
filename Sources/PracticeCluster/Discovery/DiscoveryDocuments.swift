/// The documents by which clients learn what a server serves: `/api`, `/apis`, `/api/v1`, `/apis/GROUP/v1`, `/version`.
///
/// Only the plain documents: a client that asks for the aggregated form and accepts `application/json` as well is
/// answered as by servers before 1.26, and falls back to them.
enum DiscoveryDocuments {
  /// The version that `/version` states. It says in every place where a version is shown that this is no real cluster.
  static let gitVersion = "v1.36.0-practice"

  static let version: JSON = [
    "major": "1", "minor": "36", "gitVersion": .string(gitVersion), "gitCommit": "", "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "swiftc", "platform": "practice/loopback",
  ]

  static func coreVersions(serverAddress: String) -> JSON {
    [
      "kind": "APIVersions", "versions": ["v1"],
      "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": .string(serverAddress)]],
    ]
  }

  static let groupList: JSON = [
    "kind": "APIGroupList", "apiVersion": "v1", "groups": .array(ResourceCatalog.groups.map { group($0, isNested: true) }),
  ]

  static func group(_ name: String, isNested: Bool = false) -> JSON {
    let version: JSON = ["groupVersion": .string("\(name)/v1"), "version": "v1"]
    var group: JSON = ["name": .string(name), "versions": [version], "preferredVersion": version]
    if !isNested {
      group.set("APIGroup", at: "kind")
      group.set("v1", at: "apiVersion")
    }
    return group
  }

  static func resourceList(group: String) -> JSON {
    let types = ResourceCatalog.types(group: group)
    return [
      "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(group.isEmpty ? "v1" : "\(group)/v1"),
      "resources": .array(types.flatMap(self.entries)),
    ]
  }

  private static func entries(of type: ResourceType) -> [JSON] {
    var entry: JSON = [
      "name": .string(type.plural), "singularName": .string(type.singular), "namespaced": .bool(type.isNamespaced),
      "kind": .string(type.kind), "verbs": JSON(type.verbs),
    ]
    if !type.shortNames.isEmpty { entry.set(JSON(type.shortNames), at: "shortNames") }
    if !type.categories.isEmpty { entry.set(JSON(type.categories), at: "categories") }
    let subresources = type.subresources.map { subresource in
      var entry: JSON = [
        "name": .string("\(type.plural)/\(subresource.name)"), "singularName": "", "namespaced": .bool(type.isNamespaced),
        "kind": .string(subresource.kind ?? type.kind), "verbs": JSON(subresource.verbs),
      ]
      if let group = subresource.group { entry.set(.string(group), at: "group") }
      if let version = subresource.version { entry.set(.string(version), at: "version") }
      return entry
    }
    return [entry] + subresources
  }
}
