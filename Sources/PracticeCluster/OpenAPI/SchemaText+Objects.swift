/// Namespaces, config maps, secrets, service accounts, services, events.
extension SchemaText {
  static let objects = """
    # io.k8s.api.core.v1
    ClientIPConfig timeoutSeconds:int32
    ConfigMap apiVersion:string binaryData:{bytes} data:{string} immutable:bool kind:string metadata:ObjectMeta
    Event action:string apiVersion:string count:int32 eventTime:micro-time firstTimestamp:time
      involvedObject*:ObjectReference^ kind:string lastTimestamp:time message:string metadata*:ObjectMeta reason:string
      related:ObjectReference^ reportingComponent:string reportingInstance:string series:EventSeries source:EventSource
      type:string
    EventSeries count:int32 lastObservedTime:micro-time
    EventSource component:string host:string
    LoadBalancerIngress hostname:string ip:string ipMode:string ports:[PortStatus]
    LoadBalancerStatus ingress:[LoadBalancerIngress]
    Namespace apiVersion:string kind:string metadata:ObjectMeta spec:NamespaceSpec status:NamespaceStatus
    NamespaceCondition lastTransitionTime:time message:string reason:string status*:string type*:string
    NamespaceSpec finalizers:[string]
    NamespaceStatus conditions:[NamespaceCondition]/type~type phase:string
    ObjectReference apiVersion:string fieldPath:string kind:string name:string namespace:string resourceVersion:string
      uid:string
    PortStatus error:string port*:int32 protocol*:string
    Secret apiVersion:string data:{bytes} immutable:bool kind:string metadata:ObjectMeta stringData:{string} type:string
    Service apiVersion:string kind:string metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus
    ServiceAccount apiVersion:string automountServiceAccountToken:bool imagePullSecrets:[LocalObjectReference] kind:string
      metadata:ObjectMeta secrets:[ObjectReference]/name~name
    ServicePort appProtocol:string name:string nodePort:int32 port*:int32 protocol:string targetPort:int-or-string
    ServiceSpec allocateLoadBalancerNodePorts:bool clusterIP:string clusterIPs:[string] externalIPs:[string]
      externalName:string externalTrafficPolicy:string healthCheckNodePort:int32 internalTrafficPolicy:string
      ipFamilies:[string] ipFamilyPolicy:string loadBalancerClass:string loadBalancerIP:string
      loadBalancerSourceRanges:[string] ports:[ServicePort]/port,protocol~port publishNotReadyAddresses:bool
      selector:{string}^ sessionAffinity:string sessionAffinityConfig:SessionAffinityConfig trafficDistribution:string
      type:string
    ServiceStatus conditions:[Condition]/type~type loadBalancer:LoadBalancerStatus
    SessionAffinityConfig clientIP:ClientIPConfig
    """
}
