/// Nodes.
extension SchemaText {
  static let nodes = """
    # io.k8s.api.core.v1
    ConfigMapNodeConfigSource kubeletConfigKey*:string name*:string namespace*:string resourceVersion:string uid:string
    ContainerImage names:[string] sizeBytes:int64
    DaemonEndpoint Port*:int32
    Node apiVersion:string kind:string metadata:ObjectMeta spec:NodeSpec status:NodeStatus
    NodeAddress address*:string type*:string
    NodeAllocatableResourceClaimStatus containers:[string]/set resourceClaimName*:string resources*:{quantity}
    NodeCondition lastHeartbeatTime:time lastTransitionTime:time message:string reason:string status*:string type*:string
    NodeConfigSource configMap:ConfigMapNodeConfigSource
    NodeConfigStatus active:NodeConfigSource assigned:NodeConfigSource error:string lastKnownGood:NodeConfigSource
    NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
    NodeFeatures supplementalGroupsPolicy:bool
    NodeRuntimeHandler features:NodeRuntimeHandlerFeatures name:string
    NodeRuntimeHandlerFeatures recursiveReadOnlyMounts:bool userNamespaces:bool
    NodeSpec configSource:NodeConfigSource externalID:string podCIDR:string podCIDRs:[string]/set~ providerID:string
      taints:[Taint] unschedulable:bool
    NodeStatus addresses:[NodeAddress]/type~type allocatable:{quantity} capacity:{quantity}
      conditions:[NodeCondition]/type~type config:NodeConfigStatus daemonEndpoints:NodeDaemonEndpoints
      declaredFeatures:[string] features:NodeFeatures images:[ContainerImage] nodeInfo:NodeSystemInfo phase:string
      runtimeHandlers:[NodeRuntimeHandler] volumesAttached:[AttachedVolume] volumesInUse:[string]
    NodeSwapStatus capacity:int64
    NodeSystemInfo architecture*:string bootID*:string containerRuntimeVersion*:string kernelVersion*:string
      kubeProxyVersion*:string kubeletVersion*:string machineID*:string operatingSystem*:string osImage*:string
      swap:NodeSwapStatus systemUUID*:string
    Taint effect*:string key*:string timeAdded:time value:string
    """
}
