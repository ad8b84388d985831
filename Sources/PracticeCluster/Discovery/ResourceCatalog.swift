/// Everything that the practice cluster serves. Discovery, routing and the OpenAPI documents are all made from this list.
enum ResourceCatalog {
  private static let status = ResourceType.Subresource(name: "status", verbs: ["get", "patch", "update"])
  private static let scale = ResourceType.Subresource(
    name: "scale", verbs: ["get", "patch", "update"], kind: "Scale", group: "autoscaling", version: "v1")

  static let namespaces = ResourceType(
    group: "", version: "v1", plural: "namespaces", kind: "Namespace", shortNames: ["ns"], isNamespaced: false,
    // A real server has no deletecollection of namespaces either.
    verbs: ResourceType.standardVerbs.filter { $0 != "deletecollection" },
    subresources: [.init(name: "finalize", verbs: ["update"]), status], selectableFields: ["status.phase"], returnsDeletedObject: true)

  static let pods = ResourceType(
    group: "", version: "v1", plural: "pods", kind: "Pod", shortNames: ["po"], categories: ["all"],
    subresources: [
      .init(name: "attach", verbs: ["create", "get"], kind: "PodAttachOptions"),
      .init(name: "exec", verbs: ["create", "get"], kind: "PodExecOptions"), .init(name: "log", verbs: ["get"]),
      .init(name: "portforward", verbs: ["create", "get"], kind: "PodPortForwardOptions"), status,
    ],
    selectableFields: ["spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP"],
    returnsDeletedObject: true)

  static let secrets = ResourceType(group: "", version: "v1", plural: "secrets", kind: "Secret", selectableFields: ["type"])
  static let configMaps = ResourceType(group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", shortNames: ["cm"])

  static let serviceAccounts = ResourceType(
    group: "", version: "v1", plural: "serviceaccounts", kind: "ServiceAccount", shortNames: ["sa"],
    subresources: [
      .init(name: "token", verbs: ["create"], kind: "TokenRequest", group: "authentication.k8s.io", version: "v1")
    ], returnsDeletedObject: true)

  static let services = ResourceType(
    group: "", version: "v1", plural: "services", kind: "Service", shortNames: ["svc"], categories: ["all"], subresources: [status],
    selectableFields: ["spec.clusterIP", "spec.type"])

  static let events = ResourceType(
    group: "", version: "v1", plural: "events", kind: "Event", shortNames: ["ev"],
    selectableFields: [
      "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
      "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
    ])

  static let nodes = ResourceType(
    group: "", version: "v1", plural: "nodes", kind: "Node", shortNames: ["no"], isNamespaced: false, subresources: [status],
    selectableFields: ["spec.unschedulable"])

  static let deployments = ResourceType(
    group: "apps", version: "v1", plural: "deployments", kind: "Deployment", shortNames: ["deploy"], categories: ["all"],
    subresources: [scale, status])

  static let replicaSets = ResourceType(
    group: "apps", version: "v1", plural: "replicasets", kind: "ReplicaSet", shortNames: ["rs"], categories: ["all"],
    subresources: [scale, status], selectableFields: ["status.replicas"])

  static let selfSubjectReviews = review("authentication.k8s.io", "SelfSubjectReview")
  static let selfSubjectAccessReviews = review("authorization.k8s.io", "SelfSubjectAccessReview")
  static let selfSubjectRulesReviews = review("authorization.k8s.io", "SelfSubjectRulesReview")
  static let subjectAccessReviews = review("authorization.k8s.io", "SubjectAccessReview")

  private static func review(_ group: String, _ kind: String) -> ResourceType {
    ResourceType(group: group, version: "v1", plural: "\(kind.lowercased())s", kind: kind, isNamespaced: false, verbs: ["create"])
  }

  static let all = [
    configMaps, events, namespaces, nodes, pods, secrets, serviceAccounts, services, deployments, replicaSets, selfSubjectReviews,
    selfSubjectAccessReviews, selfSubjectRulesReviews, subjectAccessReviews,
  ]

  /// The groups but the core group, in the order in which discovery lists them.
  static let groups = ["apps", "authentication.k8s.io", "authorization.k8s.io"]

  private static let byPath = Dictionary(uniqueKeysWithValues: all.map { ("\($0.group)/\($0.version)/\($0.plural)", $0) })

  static func type(group: String, version: String, plural: String) -> ResourceType? { self.byPath["\(group)/\(version)/\(plural)"] }

  static func types(group: String) -> [ResourceType] { self.all.filter { $0.group == group } }
}
