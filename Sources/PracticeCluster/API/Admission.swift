import struct Foundation.Data
import struct Foundation.Date
import struct Foundation.UUID

/// What the server does to an object before it keeps it: defaults, fields that are the server's own, and checks.
enum Admission {
  /// Prepares an object that is new.
  static func prepareNew(_ object: JSON, _ type: ResourceType, _ key: ObjectKey) -> JSON {
    var object = self.defaulted(object, type)
    object.set(.string(key.name), at: "metadata", "name")
    if type.isNamespaced { object.set(.string(key.namespace), at: "metadata", "namespace") }
    object.set(.string(UUID().uuidString.lowercased()), at: "metadata", "uid")
    object.set(.string(Timestamp.text(Date())), at: "metadata", "creationTimestamp")
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"] {
      object.set(nil, at: "metadata", field)
    }
    if type.hasStatus { object.set(self.initialStatus(type), at: "status") }
    if object["spec"] != nil, type != ResourceCatalog.namespaces { object.set(1, at: "metadata", "generation") }
    return object
  }

  /// Prepares the new state of an object: what is not the writer's to change stays as it was.
  static func prepareUpdate(_ object: JSON, over old: JSON, _ type: ResourceType, subresource: String) -> JSON {
    var object = object
    if subresource == "status" {
      let status = object["status"]
      let managed = object[["metadata", "managedFields"]]
      object = old
      object.set(status, at: "status")
      object.set(managed, at: "metadata", "managedFields")
    } else {
      object = self.defaulted(object, type)
      if type.hasStatus { object.set(old["status"], at: "status") }
    }
    for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"] {
      object.set(old[["metadata", field]], at: "metadata", field)
    }
    if let generation = old[["metadata", "generation"]]?.integer, object["spec"] != old["spec"] {
      object.set(.integer(generation + 1), at: "metadata", "generation")
    }
    return object
  }

  private static func initialStatus(_ type: ResourceType) -> JSON {
    switch type {
    case ResourceCatalog.pods: ["phase": "Pending", "qosClass": "BestEffort"]
    case ResourceCatalog.namespaces: ["phase": "Active"]
    case ResourceCatalog.services: ["loadBalancer": [:]]
    case ResourceCatalog.replicaSets: ["replicas": 0]
    default: [:]
    }
  }

  /// The defaults that clients look at; by far not all of a real server's.
  static func defaulted(_ object: JSON, _ type: ResourceType) -> JSON {
    var object = object
    func fill(_ value: JSON, _ path: [String]) { if object[path] == nil { object.set(value, at: path) } }
    switch type {
    case ResourceCatalog.secrets:
      fill("Opaque", ["type"])
      for (key, value) in object["stringData"]?.strings ?? [:] {
        object.set(.string(Data(value.utf8).base64EncodedString()), at: "data", key)
      }
      object.set(nil, at: "stringData")
    case ResourceCatalog.pods:
      object.set(self.podDefaults(object["spec"] ?? [:]), at: "spec")
    case ResourceCatalog.deployments:
      fill(1, ["spec", "replicas"])
      fill(["type": "RollingUpdate", "rollingUpdate": ["maxSurge": "25%", "maxUnavailable": "25%"]], ["spec", "strategy"])
      fill(10, ["spec", "revisionHistoryLimit"])
      fill(600, ["spec", "progressDeadlineSeconds"])
      object.set(self.podDefaults(object[["spec", "template", "spec"]] ?? [:]), at: "spec", "template", "spec")
    case ResourceCatalog.replicaSets:
      fill(1, ["spec", "replicas"])
    case ResourceCatalog.services:
      fill("ClusterIP", ["spec", "type"])
      fill("None", ["spec", "sessionAffinity"])
    case ResourceCatalog.namespaces:
      fill(["kubernetes"], ["spec", "finalizers"])
      if let name = object[["metadata", "name"]] { object.set(name, at: "metadata", "labels", "kubernetes.io/metadata.name") }
    default: break
    }
    return object
  }

  private static func podDefaults(_ spec: JSON) -> JSON {
    var spec = spec
    for (key, value) in [
      "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30,
      "securityContext": [:],
    ] as [String: JSON] where spec[key] == nil { spec.set(value, at: key) }
    let containers = (spec["containers"]?.array ?? []).map { container in
      var container = container
      for (key, value) in [
        "imagePullPolicy": "IfNotPresent", "resources": [:], "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
      ] as [String: JSON] where container[key] == nil && container.object != nil { container.set(value, at: key) }
      if let ports = container["ports"]?.array {
        container.set(
          .array(ports.map { $0["protocol"] == nil ? MergePatch.apply(["protocol": "TCP"], to: $0) : $0 }), at: "ports")
      }
      return container
    }
    if spec["containers"] != nil { spec.set(.array(containers), at: "containers") }
    return spec
  }
}
