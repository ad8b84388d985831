import struct Foundation.Date
import struct Foundation.UUID

/// The objects that a practice cluster begins with.
enum DemoSeed {
  static func plant(in store: ObjectStore) throws {
    for name in ["default", "kube-system", "dev", "prod"] { try self.namespace(name, in: store) }
    try self.add(ResourceCatalog.nodes, self.node, in: store)
    try self.add(ResourceCatalog.services, self.kubernetesService, in: store)
    for index in 0..<3 { try self.add(ResourceCatalog.pods, self.pod("web-\(index)", namespace: "dev", index: index), in: store) }
    for index in 0..<2 { try self.add(ResourceCatalog.pods, self.pod("shop-\(index)", namespace: "prod", index: index + 3), in: store) }
    try self.add(
      ResourceCatalog.configMaps, ["metadata": self.metadata("web", "dev", app: "web"), "data": ["greeting": "hello", "color": "teal"]],
      in: store)
    try self.add(
      ResourceCatalog.secrets,
      ["metadata": self.metadata("web-login", "dev", app: "web"), "type": "Opaque", "data": ["password": "cHJhY3RpY2U="]], in: store)
    try self.add(
      ResourceCatalog.secrets,
      ["metadata": self.metadata("shop-login", "prod", app: "shop"), "type": "Opaque", "data": ["password": "c2hvcA=="]], in: store)
  }

  /// A namespace with what every namespace has.
  static func namespace(_ name: String, in store: ObjectStore) throws(APIError) {
    try self.add(
      ResourceCatalog.namespaces,
      [
        "metadata": ["name": .string(name), "labels": ["kubernetes.io/metadata.name": .string(name)]],
        "spec": ["finalizers": ["kubernetes"]], "status": ["phase": "Active"],
      ], in: store)
    try self.serviceAccount(in: name, store: store)
  }

  /// The `default` service account that every namespace has.
  static func serviceAccount(in namespace: String, store: ObjectStore) throws(APIError) {
    try self.add(ResourceCatalog.serviceAccounts, ["metadata": ["name": "default", "namespace": .string(namespace)]], in: store)
  }

  /// Puts an object as it is, with an age and an identifier.
  static func add(_ type: ResourceType, _ object: JSON, fillerBytes: Int = 0, in store: ObjectStore) throws(APIError) {
    var object = object
    object.set(.string(UUID().uuidString.lowercased()), at: "metadata", "uid")
    object.set(.string(Timestamp.text(Date())), at: "metadata", "creationTimestamp")
    let key = ObjectKey(namespace: object[["metadata", "namespace"]]?.string ?? "", name: object[["metadata", "name"]]?.string ?? "")
    let complete = object
    try store.change(type, key, fillerBytes: fillerBytes) { (_) throws(APIError) in .put(complete) }
  }

  private static func metadata(_ name: String, _ namespace: String, app: String) -> JSON {
    ["name": .string(name), "namespace": .string(namespace), "labels": ["app": .string(app)]]
  }

  private static func pod(_ name: String, namespace: String, index: Int) -> JSON {
    let app = String(name.prefix { $0 != "-" })
    let started = JSON.string(Timestamp.text(Date()))
    return [
      "metadata": self.metadata(name, namespace, app: app),
      "spec": [
        "nodeName": "practice-node", "restartPolicy": "Always", "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
        "containers": [
          [
            "name": .string(app), "image": "registry.example/\(app):1.4", "imagePullPolicy": "IfNotPresent",
            "ports": [["containerPort": 8080, "protocol": "TCP"]], "resources": [:],
          ]
        ],
      ],
      "status": [
        "phase": "Running", "podIP": .string("10.0.0.\(index + 10)"), "podIPs": [["ip": .string("10.0.0.\(index + 10)")]],
        "hostIP": "127.0.0.1", "qosClass": "BestEffort", "startTime": started,
        "conditions": .array(["PodScheduled", "Initialized", "ContainersReady", "Ready"].map { ["type": .string($0), "status": "True"] }),
        "containerStatuses": [
          [
            "name": .string(app), "ready": true, "started": true, "restartCount": 0, "image": .string("registry.example/\(app):1.4"),
            "imageID": "", "containerID": .string("practice://\(name)"), "state": ["running": ["startedAt": started]], "lastState": [:],
          ]
        ],
      ],
    ]
  }

  private static let kubernetesService: JSON = [
    "metadata": ["name": "kubernetes", "namespace": "default", "labels": ["component": "apiserver", "provider": "kubernetes"]],
    "spec": [
      "type": "ClusterIP", "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "sessionAffinity": "None",
      "ports": [["name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443]],
    ], "status": ["loadBalancer": [:]],
  ]

  private static let node: JSON = [
    "metadata": [
      "name": "practice-node",
      "labels": ["kubernetes.io/hostname": "practice-node", "node-role.kubernetes.io/control-plane": "", "kubernetes.io/os": "linux"],
    ], "spec": [:],
    "status": [
      "addresses": [["type": "InternalIP", "address": "127.0.0.1"], ["type": "Hostname", "address": "practice-node"]],
      "capacity": ["cpu": "2", "memory": "4Gi", "pods": "110"], "allocatable": ["cpu": "2", "memory": "4Gi", "pods": "110"],
      "conditions": [["type": "Ready", "status": "True", "reason": "Practice", "message": "there is no kubelet"]],
      "nodeInfo": [
        "kubeletVersion": .string(DiscoveryDocuments.gitVersion), "osImage": "practice", "architecture": "amd64",
        "operatingSystem": "linux",
        "kernelVersion": "none", "containerRuntimeVersion": "practice://0", "bootID": "", "machineID": "", "systemUUID": "",
        "kubeProxyVersion": "",
      ],
    ],
  ]
}
