import struct Foundation.Data

/// The checks of an object: its metadata, and the few rules of its type that clients run into.
enum Validation {
  static func faults(of object: JSON, _ type: ResourceType, old: JSON? = nil) -> [FieldFault] {
    self.metadataFaults(object) + self.nameFaults(object, type) + self.typeFaults(object, type, old)
  }

  private static func nameFaults(_ object: JSON, _ type: ResourceType) -> [FieldFault] {
    let name = object[["metadata", "name"]]?.string ?? ""
    if name.isEmpty { return [.required("metadata.name", "name or generateName is required")] }
    // Namespaces and services are parts of host names.
    if type == ResourceCatalog.namespaces || type == ResourceCatalog.services {
      return NameRules.isLabel(name) ? [] : [.invalid("metadata.name", .string(name), NameRules.labelRule)]
    }
    return NameRules.isSubdomain(name) ? [] : [.invalid("metadata.name", .string(name), NameRules.subdomainRule)]
  }

  private static func metadataFaults(_ object: JSON) -> [FieldFault] {
    var faults: [FieldFault] = []
    for (key, value) in (object[["metadata", "labels"]]?.strings ?? [:]).sorted(by: { $0.key < $1.key }) {
      if !NameRules.isQualifiedName(key) { faults.append(.invalid("metadata.labels", .string(key), NameRules.qualifiedNameRule)) }
      if !NameRules.isLabelValue(value) { faults.append(.invalid("metadata.labels", .string(value), NameRules.labelValueRule)) }
    }
    for key in (object[["metadata", "annotations"]]?.strings ?? [:]).keys.sorted() where !NameRules.isQualifiedName(key.lowercased()) {
      faults.append(.invalid("metadata.annotations", .string(key), NameRules.qualifiedNameRule))
    }
    for finalizer in (object[["metadata", "finalizers"]]?.array ?? []).compactMap(\.string) where !NameRules.isQualifiedName(finalizer) {
      faults.append(.invalid("metadata.finalizers", .string(finalizer), NameRules.qualifiedNameRule))
    }
    return faults
  }

  private static func typeFaults(_ object: JSON, _ type: ResourceType, _ old: JSON?) -> [FieldFault] {
    switch type {
    case ResourceCatalog.configMaps: self.dataKeyFaults(object, "data")
    case ResourceCatalog.secrets: self.dataKeyFaults(object, "data") + self.secretFaults(object, old)
    case ResourceCatalog.pods: self.containerFaults(object["spec"], "spec") + self.podChangeFaults(object, old)
    case ResourceCatalog.deployments, ResourceCatalog.replicaSets: self.workloadFaults(object, old)
    default: []
    }
  }

  private static func dataKeyFaults(_ object: JSON, _ field: String) -> [FieldFault] {
    (object[field]?.object ?? [:]).keys.sorted().filter { !NameRules.isDataKey($0) }.map {
      .invalid("\(field)[\($0)]", .string($0), "a valid config key must consist of alphanumeric characters, '-', '_' or '.'")
    }
  }

  private static func secretFaults(_ object: JSON, _ old: JSON?) -> [FieldFault] {
    var faults: [FieldFault] = []
    if let type = old?["type"], type != object["type"] { faults.append(.invalid("type", object["type"] ?? "", "field is immutable")) }
    if old == nil, object["type"]?.string == "kubernetes.io/tls" {
      faults += ["tls.crt", "tls.key"].filter { object[["data", $0]] == nil }.map { .required("data[\($0)]", "") }
    }
    return faults
  }

  /// A secret's data that is no base64: the decoder's fault, so answered with 400 and not 422.
  static func undecodableData(_ object: JSON, _ type: ResourceType) -> String? {
    guard type == ResourceCatalog.secrets else { return nil }
    let bad = (object["data"]?.strings ?? [:]).sorted { $0.key < $1.key }.first { Data(base64Encoded: $0.value) == nil }
    return bad.map { "illegal base64 data in Secret.data[\($0.key)]" }
  }

  private static func containerFaults(_ spec: JSON?, _ path: String) -> [FieldFault] {
    let containers = spec?["containers"]?.array ?? []
    if containers.isEmpty { return [.required("\(path).containers", "")] }
    var names: Set<String> = []
    return containers.enumerated().flatMap { index, container -> [FieldFault] in
      let place = "\(path).containers[\(index)]"
      var faults: [FieldFault] = []
      let name = container["name"]?.string ?? ""
      if name.isEmpty {
        faults.append(.required("\(place).name", ""))
      } else if !NameRules.isLabel(name) {
        faults.append(.invalid("\(place).name", .string(name), NameRules.labelRule))
      } else if !names.insert(name).inserted {
        faults.append(.invalid("\(place).name", .string(name), "must be unique"))
      }
      if (container["image"]?.string ?? "").isEmpty { faults.append(.required("\(place).image", "")) }
      return faults
    }
  }

  /// Of a pod's spec only the images and a few other fields may change.
  private static func podChangeFaults(_ object: JSON, _ old: JSON?) -> [FieldFault] {
    guard let old else { return [] }
    func withoutChangeable(_ pod: JSON) -> JSON {
      var spec = pod["spec"] ?? [:]
      for field in ["activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations"] { spec.set(nil, at: field) }
      let containers = (spec["containers"]?.array ?? []).map { container in
        var container = container
        container.set(nil, at: "image")
        return container
      }
      spec.set(.array(containers), at: "containers")
      return spec
    }
    guard withoutChangeable(object) != withoutChangeable(Admission.defaulted(old, ResourceCatalog.pods)) else { return [] }
    return [
      FieldFault(
        kind: .forbidden, field: "spec", value: nil,
        detail: "pod updates may not change fields other than `spec.containers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
          + "or `spec.terminationGracePeriodSeconds`")
    ]
  }

  private static func workloadFaults(_ object: JSON, _ old: JSON?) -> [FieldFault] {
    var faults: [FieldFault] = []
    let selector = object[["spec", "selector", "matchLabels"]]?.strings ?? [:]
    let labels = object[["spec", "template", "metadata", "labels"]]?.strings ?? [:]
    if object[["spec", "selector"]] == nil { faults.append(.required("spec.selector", "")) }
    if !selector.allSatisfy({ labels[$0.key] == $0.value }) {
      faults.append(.invalid("spec.template.metadata.labels", JSON(labels), "`selector` does not match template `labels`"))
    }
    if let old, old[["spec", "selector"]] != object[["spec", "selector"]] {
      faults.append(.invalid("spec.selector", object[["spec", "selector"]] ?? .null, "field is immutable"))
    }
    if let replicas = object[["spec", "replicas"]]?.integer, replicas < 0 {
      faults.append(.invalid("spec.replicas", .integer(replicas), "must be greater than or equal to 0"))
    }
    return faults + self.containerFaults(object[["spec", "template", "spec"]], "spec.template.spec")
  }
}
