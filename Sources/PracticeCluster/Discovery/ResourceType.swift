/// A kind of object that the server knows, with what may be done to it.
struct ResourceType: Sendable {
  struct Subresource: Sendable, Hashable {
    let name: String
    let verbs: [String]
    /// `v1/Pod`, `autoscaling/v1/Scale`: what travels, where it is not the object itself.
    var kind: String? = nil
    var group: String? = nil
    var version: String? = nil
  }

  let group: String
  let version: String
  let plural: String
  let kind: String
  var shortNames: [String] = []
  var categories: [String] = []
  var isNamespaced = true
  var verbs = standardVerbs
  var subresources: [Subresource] = []
  /// Fields besides name and namespace that a field selector may name.
  var selectableFields: [String] = []
  /// A plain delete answers with the object and not with a `Status`.
  var returnsDeletedObject = false
  /// The status is written through its subresource only.
  var hasStatus: Bool { self.subresources.contains { $0.name == "status" } }

  static let standardVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

  var singular: String { self.kind.lowercased() }
  var listKind: String { "\(self.kind)List" }
  var groupVersion: String { self.group.isEmpty ? self.version : "\(self.group)/\(self.version)" }
  /// `pods`, `deployments.apps`
  var qualifiedName: String { self.group.isEmpty ? self.plural : "\(self.plural).\(self.group)" }
  /// A review is answered and not kept.
  var isStored: Bool { self.verbs.contains("get") }

  func details(_ name: String, kind: String? = nil) -> JSON {
    var details: JSON = ["kind": .string(kind ?? self.plural)]
    if !name.isEmpty { details.set(.string(name), at: "name") }
    if !self.group.isEmpty { details.set(.string(self.group), at: "group") }
    return details
  }
}

extension ResourceType: Hashable {
  static func == (left: ResourceType, right: ResourceType) -> Bool { left.qualifiedName == right.qualifiedName }
  func hash(into hasher: inout Hasher) { hasher.combine(self.qualifiedName) }
}
