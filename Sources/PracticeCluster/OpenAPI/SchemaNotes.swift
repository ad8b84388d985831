/// What `kubectl explain` says of the types and fields that one looks up most; the practice cluster's own words.
enum SchemaNotes {
  static func note(_ place: String) -> String? { self.notes[place] }

  /// Fields that mean the same everywhere.
  static let common = [
    "apiVersion": "The group and version that the object is written in.", "kind": "What kind of object this is.",
    "metadata": "Names, labels, and what the server keeps about the object.", "spec": "What is wanted.",
    "status": "What is there; written by the system.",
  ]

  private static let notes = [
    "Pod": "Containers that run together on one node. In the practice cluster nothing runs them.",
    "PodSpec": "What a pod is made of.", "PodStatus": "What is known of a pod's containers.",
    "PodSpec.containers": "The containers; at least one.", "PodSpec.initContainers": "Containers that run before the others, one by one.",
    "PodSpec.nodeName": "The node that the pod is bound to.", "PodSpec.restartPolicy": "Always, OnFailure or Never.",
    "PodSpec.serviceAccountName": "Who the pod is to the API server.", "PodSpec.volumes": "What containers can mount.",
    "Container": "One program in its own file system.", "Container.name": "The container's name, unique in the pod.",
    "Container.image": "The image to run.", "Container.command": "What to run instead of the image's entry point.",
    "Container.args": "The arguments.", "Container.env": "Environment variables.", "Container.ports": "The ports that it listens on.",
    "Container.resources": "How much it may use, and how much is set aside for it.", "ConfigMap": "Settings for programs, not secret.",
    "ConfigMap.data": "The settings, each a text.", "ConfigMap.binaryData": "The settings that are no text, each in base64.",
    "ConfigMap.immutable": "The data cannot be changed any more.", "Secret": "Data that only few may see.",
    "Secret.data": "The data, each value in base64.", "Secret.stringData": "Values to be put into data; never read back.",
    "Secret.type": "What the data is for.", "Namespace": "A part of the cluster that names are unique in.",
    "Node": "A machine of the cluster.", "ServiceAccount": "An identity for programs.", "Service": "A stable address for a set of pods.",
    "Event": "Something that happened to an object.", "Deployment": "Pods that are kept running and replaced step by step.",
    "Deployment.spec": "How many pods, and of what kind.", "DeploymentSpec.replicas": "How many pods are wanted; 1 by default.",
    "DeploymentSpec.selector": "The labels by which its pods are found; they cannot be changed.",
    "DeploymentSpec.template": "What each pod is made of.", "ReplicaSet": "A number of equal pods.",
    "ObjectMeta": "What every object has.", "ObjectMeta.name": "The object's name, unique for its kind in its namespace.",
    "ObjectMeta.namespace": "The namespace that the object is in.", "ObjectMeta.labels": "What selectors choose by.",
    "ObjectMeta.annotations": "Notes of programs and people; nothing is selected by them.",
    "ObjectMeta.managedFields": "Who wrote which fields.", "ObjectMeta.finalizers": "Who must agree before the object goes.",
    "ObjectMeta.resourceVersion": "Changes with every write.", "ObjectMeta.uid": "Unlike a name, never given again.",
  ]
}
