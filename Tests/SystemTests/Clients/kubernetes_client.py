"""Uses Python's Kubernetes client as a program would, through the gateway, and prints what it saw as JSON.

Usage: kubernetes_client.py KUBECONFIG NAMESPACE
"""

import json
import sys
import threading

from kubernetes import client, config, watch

config.load_kube_config(config_file=sys.argv[1])
namespace = sys.argv[2]
core = client.CoreV1Api()
seen = {}

seen["version"] = client.VersionApi().get_code().git_version
review = client.AuthenticationV1Api().create_self_subject_review(client.V1SelfSubjectReview())
seen["user"] = review.status.user_info.username
seen["groups"] = review.status.user_info.groups
seen["pods"] = sorted(pod.metadata.name for pod in core.list_namespaced_pod(namespace).items)

# A watch that is open before the object changes sees each change as it happens.
events = []
watching = threading.Event()


def follow():
    stream = watch.Watch()
    version = core.list_namespaced_config_map(namespace).metadata.resource_version
    watching.set()
    for event in stream.stream(core.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=20):
        if event["object"].metadata.name == "from-python":
            events.append(event["type"])
            if event["type"] == "DELETED":
                stream.stop()


follower = threading.Thread(target=follow)
follower.start()
watching.wait(10)

body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="from-python"), data={"a": "1"})
core.create_namespaced_config_map(namespace, body)
core.patch_namespaced_config_map("from-python", namespace, {"data": {"b": "2"}})
seen["data"] = core.read_namespaced_config_map("from-python", namespace).data
body.data = {"c": "3"}
seen["replaced"] = core.replace_namespaced_config_map("from-python", namespace, body).data
seen["deleted"] = core.delete_namespaced_config_map("from-python", namespace).status
follower.join(20)
seen["events"] = events

try:
    core.read_namespaced_config_map("from-python", namespace)
except client.exceptions.ApiException as error:
    seen["afterwards"] = [error.status, json.loads(error.body)["reason"]]

seen["log"] = core.read_namespaced_pod_log("web-0", namespace, tail_lines=2).splitlines()
print(json.dumps(seen))
