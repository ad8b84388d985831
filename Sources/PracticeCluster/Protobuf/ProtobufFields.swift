/// The field numbers of the messages that kubectl sends in Kubernetes' protobuf encoding, as facts from the
/// `generated.proto` files of k8s.io/api and k8s.io/apimachinery; the types are those of ``SchemaTable``.
///
/// Not all types have numbers here: those that kubectl's `create`, `auth` and `set` commands write by typed clients.
enum ProtobufFields {
  struct Field: Sendable {
    let name: String
    /// A pointer in Go: its zero has a meaning. Any other zero is left out, as in JSON.
    let keepsZero: Bool
  }

  static func field(_ number: Int, in message: String) -> Field? { self.table[message]?[number] }

  static func isKnown(_ message: String) -> Bool { self.table[message] != nil }

  private static let table: [String: [Int: Field]] = Dictionary(
    uniqueKeysWithValues: text.split(separator: "\n").map { line in
      let words = line.split(separator: " ")
      let fields = words.dropFirst().compactMap { word -> (Int, Field)? in
        let halves = word.split(separator: "=")
        let number = halves.count == 2 ? Int(halves[1].filter { $0 != "?" }) : nil
        return number.map { ($0, Field(name: String(halves[0]), keepsZero: word.last == "?")) }
      }
      return (String(words[0]), Dictionary(uniqueKeysWithValues: fields))
    })

  /// A message a line; `?` marks a field whose zero is kept.
  private static let text = """
    ObjectMeta name=1 generateName=2 namespace=3 selfLink=4 uid=5 resourceVersion=6 generation=7 creationTimestamp=8 \
    deletionTimestamp=9 deletionGracePeriodSeconds=10? labels=11 annotations=12 ownerReferences=13 finalizers=14 managedFields=17
    OwnerReference kind=1 name=3 uid=4 apiVersion=5 controller=6? blockOwnerDeletion=7?
    ConfigMap metadata=1 data=2 binaryData=3 immutable=4?
    Secret metadata=1 data=2 type=3 stringData=4 immutable=5?
    Namespace metadata=1 spec=2 status=3
    NamespaceSpec finalizers=1
    NamespaceStatus phase=1 conditions=2
    ServiceAccount metadata=1 secrets=2 imagePullSecrets=3 automountServiceAccountToken=4?
    LocalObjectReference name=1
    Service metadata=1 spec=2 status=3
    ServiceSpec ports=1 selector=2 clusterIP=3 type=4 externalIPs=5 sessionAffinity=7 loadBalancerIP=8 \
    loadBalancerSourceRanges=9 externalName=10 externalTrafficPolicy=11 healthCheckNodePort=12 publishNotReadyAddresses=13 \
    sessionAffinityConfig=14 ipFamilyPolicy=17 clusterIPs=18 ipFamilies=19
    ServicePort name=1 protocol=2 port=3 targetPort=4 nodePort=5 appProtocol=6
    ServiceStatus loadBalancer=1 conditions=2
    LoadBalancerStatus ingress=1
    Deployment metadata=1 spec=2 status=3
    DeploymentSpec replicas=1? selector=2 template=3 strategy=4 minReadySeconds=5 revisionHistoryLimit=6? paused=7 \
    progressDeadlineSeconds=9?
    DeploymentStrategy type=1 rollingUpdate=2
    DeploymentStatus observedGeneration=1 replicas=2 updatedReplicas=3 availableReplicas=4 unavailableReplicas=5 \
    conditions=6 readyReplicas=7 collisionCount=8 terminatingReplicas=9
    LabelSelector matchLabels=1 matchExpressions=2
    PodTemplateSpec metadata=1 spec=2
    PodSpec volumes=1 containers=2 restartPolicy=3 terminationGracePeriodSeconds=4? activeDeadlineSeconds=5? dnsPolicy=6 \
    nodeSelector=7 serviceAccountName=8 serviceAccount=9 nodeName=10 hostNetwork=11 hostPID=12 hostIPC=13 securityContext=14 \
    imagePullSecrets=15 hostname=16 subdomain=17 affinity=18 schedulerName=19 initContainers=20 automountServiceAccountToken=21? \
    tolerations=22 priorityClassName=24 priority=25? enableServiceLinks=30? preemptionPolicy=31
    PodSecurityContext
    Container name=1 image=2 command=3 args=4 workingDir=5 ports=6 env=7 resources=8 volumeMounts=9 terminationMessagePath=13 \
    imagePullPolicy=14 stdin=16 stdinOnce=17 tty=18 terminationMessagePolicy=20
    ContainerPort name=1 hostPort=2 containerPort=3 protocol=4 hostIP=5
    EnvVar name=1 value=2
    ResourceRequirements limits=1 requests=2
    VolumeMount name=1 readOnly=2 mountPath=3 subPath=4
    SelfSubjectReview metadata=1 status=2
    SelfSubjectReviewStatus userInfo=1
    UserInfo username=1 uid=2 groups=3 extra=4
    TokenRequest metadata=1 spec=2 status=3
    TokenRequestSpec audiences=1 boundObjectRef=3 expirationSeconds=4?
    TokenRequestStatus token=1 expirationTimestamp=2
    BoundObjectReference kind=1 apiVersion=2 name=3 uid=4
    SelfSubjectAccessReview metadata=1 spec=2 status=3
    SelfSubjectAccessReviewSpec resourceAttributes=1 nonResourceAttributes=2
    SubjectAccessReview metadata=1 spec=2 status=3
    SubjectAccessReviewSpec resourceAttributes=1 nonResourceAttributes=2 user=3 groups=4 uid=6
    SubjectAccessReviewStatus allowed=1 reason=2 evaluationError=3 denied=4
    ResourceAttributes namespace=1 verb=2 group=3 version=4 resource=5 subresource=6 name=7
    NonResourceAttributes path=1 verb=2
    SelfSubjectRulesReview metadata=1 spec=2 status=3
    SelfSubjectRulesReviewSpec namespace=1
    SubjectRulesReviewStatus resourceRules=1 nonResourceRules=2 incomplete=3 evaluationError=4
    """
}
