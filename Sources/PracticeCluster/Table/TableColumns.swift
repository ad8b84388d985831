/// The columns that `kubectl get` shows, as the server's printers fill them (kubernetes pkg/printers/internalversion).
enum TableColumns {
  private struct Column {
    let name: String
    var type = "string"
    var format = ""
    /// 0 is always shown, 1 with `-o wide`.
    var priority = 0
    let cell: @Sendable (StoredObject) -> JSON
  }

  static func table(_ type: ResourceType, rows: [JSON], metadata: JSON, version: String) -> JSON {
    // `rows` must come last so that a list can be written behind it; the keys are written in alphabetical order.
    [
      "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata,
      "columnDefinitions": .array(
        self.columns(type).map { column in
          [
            "name": .string(column.name), "type": .string(column.type), "format": .string(column.format), "description": "",
            "priority": .integer(Int64(column.priority)),
          ]
        }),
      "rows": .array(rows),
    ]
  }

  static func cells(_ type: ResourceType, _ object: StoredObject) -> [JSON] { self.columns(type).map { $0.cell(object) } }

  private static let name = Column(name: "Name", format: "name") { .string($0.key.name) }
  private static let age = Column(name: "Age") { .string(Age.text(since: $0.metadata["creationTimestamp"]?.string)) }

  private static func text(_ name: String, priority: Int = 0, _ path: String..., otherwise: String = "<none>") -> Column {
    Column(name: name, priority: priority) { .string($0[path]?.string ?? otherwise) }
  }

  private static func number(_ name: String, _ path: String...) -> Column {
    Column(name: name, type: "integer") { .integer($0[path]?.integer ?? 0) }
  }

  private static func count(_ name: String, _ path: String...) -> Column {
    Column(name: name, type: "integer") { object in
      switch object[path] {
      case .object(let members): .integer(Int64(members.count))
      case .array(let elements): .integer(Int64(elements.count))
      default: 0
      }
    }
  }

  private static func columns(_ type: ResourceType) -> [Column] { self.byType[type.qualifiedName] ?? [self.name, self.age] }

  private static let byType: [String: [Column]] = [
    "namespaces": [name, text("Status", "status", "phase", otherwise: "Active"), age],
    "pods": podColumns,
    "secrets": [name, text("Type", "type"), count("Data", "data"), age],
    "configmaps": [name, count("Data", "data"), age],
    "serviceaccounts": [name, count("Secrets", "secrets"), age],
    "services": [
      name, text("Type", "spec", "type", otherwise: "ClusterIP"), text("Cluster-IP", "spec", "clusterIP"),
      Column(name: "External-IP") { _ in "<none>" }, Column(name: "Port(s)") { .string(ports($0)) }, age,
      Column(name: "Selector", priority: 1) { .string(pairs($0[["spec", "selector"]])) },
    ],
    "events": [
      Column(name: "Last Seen") { .string(Age.text(since: $0[["lastTimestamp"]]?.string)) }, text("Type", "type"), text("Reason", "reason"),
      Column(name: "Object") {
        .string("\(($0[["involvedObject", "kind"]]?.string ?? "").lowercased())/\($0[["involvedObject", "name"]]?.string ?? "")")
      }, text("Message", "message"),
    ],
    "nodes": [
      name, Column(name: "Status") { .string(isReady($0) ? "Ready" : "NotReady") }, Column(name: "Roles") { .string(roles($0)) },
      age, text("Version", "status", "nodeInfo", "kubeletVersion"),
      Column(name: "Internal-IP", priority: 1) {
        .string(
          $0[["status", "addresses"]]?.array?.first { $0["type"]?.string == "InternalIP" }?["address"]?.string ?? "<none>")
      }, text("OS-Image", priority: 1, "status", "nodeInfo", "osImage"),
    ],
    "deployments.apps": [
      name,
      Column(name: "Ready") {
        .string("\($0[["status", "readyReplicas"]]?.integer ?? 0)/\($0[["spec", "replicas"]]?.integer ?? 0)")
      }, number("Up-to-date", "status", "updatedReplicas"), number("Available", "status", "availableReplicas"), age,
      containers("Containers", field: "name"), containers("Images", field: "image"),
      Column(name: "Selector", priority: 1) { .string(pairs($0[["spec", "selector", "matchLabels"]])) },
    ],
    "replicasets.apps": [
      name, number("Desired", "spec", "replicas"), number("Current", "status", "replicas"), number("Ready", "status", "readyReplicas"), age,
    ],
  ]

  private static let podColumns = [
    name,
    Column(name: "Ready") { pod in
      let statuses = pod[["status", "containerStatuses"]]?.array ?? []
      let total = pod[["spec", "containers"]]?.array?.count ?? 0
      return .string("\(statuses.count { $0["ready"]?.bool == true })/\(total)")
    },
    Column(name: "Status") { pod in
      pod.metadata["deletionTimestamp"] == nil ? .string(pod[["status", "phase"]]?.string ?? "Unknown") : "Terminating"
    },
    Column(name: "Restarts") { pod in
      let statuses = pod[["status", "containerStatuses"]]?.array ?? []
      return .string(String(statuses.reduce(0) { $0 + ($1["restartCount"]?.integer ?? 0) }))
    }, age,
    text("IP", priority: 1, "status", "podIP"), text("Node", priority: 1, "spec", "nodeName"),
    text("Nominated Node", priority: 1, "status", "nominatedNodeName"), Column(name: "Readiness Gates", priority: 1) { _ in "<none>" },
  ]

  private static func containers(_ name: String, field: String) -> Column {
    Column(name: name, priority: 1) { object in
      let containers = object[["spec", "template", "spec", "containers"]]?.array ?? []
      return .string(containers.compactMap { $0[field]?.string }.joined(separator: ","))
    }
  }

  private static func ports(_ service: StoredObject) -> String {
    let ports = service[["spec", "ports"]]?.array ?? []
    let text = ports.map { "\($0["port"]?.integer ?? 0)/\($0["protocol"]?.string ?? "TCP")" }
    return text.isEmpty ? "<none>" : text.joined(separator: ",")
  }

  private static func pairs(_ labels: JSON?) -> String {
    let pairs = (labels?.strings ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return pairs.isEmpty ? "<none>" : pairs.joined(separator: ",")
  }

  private static func isReady(_ node: StoredObject) -> Bool {
    node[["status", "conditions"]]?.array?.contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" } ?? false
  }

  private static func roles(_ node: StoredObject) -> String {
    let prefix = "node-role.kubernetes.io/"
    let roles = node.labels.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
    return roles.isEmpty ? "<none>" : roles.joined(separator: ",")
  }
}
