/// Workloads, reviews, and what all objects share.
extension SchemaText {
  static let others = """
    # io.k8s.api.apps.v1
    Deployment apiVersion:string kind:string metadata:ObjectMeta spec:DeploymentSpec status:DeploymentStatus
    DeploymentCondition lastTransitionTime:time lastUpdateTime:time message:string reason:string status*:string type*:string
    DeploymentSpec minReadySeconds:int32 paused:bool progressDeadlineSeconds:int32 replicas:int32 revisionHistoryLimit:int32
      selector*:LabelSelector^ strategy:DeploymentStrategy$ template*:PodTemplateSpec
    DeploymentStatus availableReplicas:int32 collisionCount:int32 conditions:[DeploymentCondition]/type~type
      observedGeneration:int64 readyReplicas:int32 replicas:int32 terminatingReplicas:int32 unavailableReplicas:int32
      updatedReplicas:int32
    DeploymentStrategy rollingUpdate:RollingUpdateDeployment type:string
    ReplicaSet apiVersion:string kind:string metadata:ObjectMeta spec:ReplicaSetSpec status:ReplicaSetStatus
    ReplicaSetCondition lastTransitionTime:time message:string reason:string status*:string type*:string
    ReplicaSetSpec minReadySeconds:int32 replicas:int32 selector*:LabelSelector^ template:PodTemplateSpec
    ReplicaSetStatus availableReplicas:int32 conditions:[ReplicaSetCondition]/type~type fullyLabeledReplicas:int32
      observedGeneration:int64 readyReplicas:int32 replicas*:int32 terminatingReplicas:int32
    RollingUpdateDeployment maxSurge:int-or-string maxUnavailable:int-or-string
    # io.k8s.api.authentication.v1
    BoundObjectReference apiVersion:string kind:string name:string uid:string
    SelfSubjectReview apiVersion:string kind:string metadata:ObjectMeta status:SelfSubjectReviewStatus
    SelfSubjectReviewStatus userInfo:UserInfo
    TokenRequest apiVersion:string kind:string metadata:ObjectMeta spec:TokenRequestSpec status:TokenRequestStatus
    TokenRequestSpec audiences:[string] boundObjectRef:BoundObjectReference expirationSeconds:int64
    TokenRequestStatus expirationTimestamp:time token:string
    UserInfo extra:{[string]} groups:[string] uid:string username:string
    # io.k8s.api.authorization.v1
    FieldSelectorAttributes rawSelector:string requirements:[FieldSelectorRequirement]
    LabelSelectorAttributes rawSelector:string requirements:[LabelSelectorRequirement]
    NonResourceAttributes path:string verb:string
    NonResourceRule nonResourceURLs:[string] verbs*:[string]
    ResourceAttributes fieldSelector:FieldSelectorAttributes group:string labelSelector:LabelSelectorAttributes name:string
      namespace:string resource:string subresource:string verb:string version:string
    ResourceRule apiGroups:[string] resourceNames:[string] resources:[string] verbs*:[string]
    SelfSubjectAccessReview apiVersion:string kind:string metadata:ObjectMeta spec*:SelfSubjectAccessReviewSpec
      status:SubjectAccessReviewStatus
    SelfSubjectAccessReviewSpec nonResourceAttributes:NonResourceAttributes resourceAttributes:ResourceAttributes
    SelfSubjectRulesReview apiVersion:string kind:string metadata:ObjectMeta spec*:SelfSubjectRulesReviewSpec
      status:SubjectRulesReviewStatus
    SelfSubjectRulesReviewSpec namespace:string
    SubjectAccessReview apiVersion:string kind:string metadata:ObjectMeta spec*:SubjectAccessReviewSpec
      status:SubjectAccessReviewStatus
    SubjectAccessReviewSpec extra:{[string]} groups:[string] nonResourceAttributes:NonResourceAttributes
      resourceAttributes:ResourceAttributes uid:string user:string
    SubjectAccessReviewStatus allowed*:bool denied:bool evaluationError:string reason:string
    SubjectRulesReviewStatus evaluationError:string incomplete*:bool nonResourceRules*:[NonResourceRule]
      resourceRules*:[ResourceRule]
    # io.k8s.api.autoscaling.v1
    Scale apiVersion:string kind:string metadata:ObjectMeta spec:ScaleSpec status:ScaleStatus
    ScaleSpec replicas:int32
    ScaleStatus replicas*:int32 selector:string
    # io.k8s.apimachinery.pkg.apis.meta.v1
    Condition lastTransitionTime*:time message*:string observedGeneration:int64 reason*:string status*:string type*:string
    DeleteOptions apiVersion:string dryRun:[string] gracePeriodSeconds:int64
      ignoreStoreReadErrorWithClusterBreakingPotential:bool kind:string orphanDependents:bool preconditions:Preconditions
      propagationPolicy:string
    FieldSelectorRequirement key*:string operator*:string values:[string]
    LabelSelector matchExpressions:[LabelSelectorRequirement] matchLabels:{string}
    LabelSelectorRequirement key*:string operator*:string values:[string]
    ListMeta continue:string remainingItemCount:int64 resourceVersion:string selfLink:string shardInfo:ShardInfo
    ManagedFieldsEntry apiVersion:string fieldsType:string fieldsV1:any manager:string operation:string subresource:string
      time:time
    ObjectMeta annotations:{string} creationTimestamp:time deletionGracePeriodSeconds:int64 deletionTimestamp:time
      finalizers:[string]/set~ generateName:string generation:int64 labels:{string} managedFields:[ManagedFieldsEntry]
      name:string namespace:string ownerReferences:[OwnerReference]/uid~uid resourceVersion:string selfLink:string uid:string
    OwnerReference apiVersion*:string blockOwnerDeletion:bool controller:bool kind*:string name*:string uid*:string
    Preconditions resourceVersion:string uid:string
    ShardInfo selector*:string
    Status apiVersion:string code:int32 details:StatusDetails kind:string message:string metadata:ListMeta reason:string
      status:string
    StatusCause field:string message:string reason:string
    StatusDetails causes:[StatusCause] group:string kind:string name:string retryAfterSeconds:int32 uid:string
    """
}
