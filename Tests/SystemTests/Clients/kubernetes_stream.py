"""Uses the WebSocket streams of Python's Kubernetes client as a program would, and prints what it saw as JSON.

Usage: kubernetes_stream.py KUBECONFIG NAMESPACE POD
"""

import json
import sys
import time

from kubernetes import client, config
from kubernetes.stream import portforward, stream

config.load_kube_config(config_file=sys.argv[1])
namespace, pod = sys.argv[2], sys.argv[3]
core = client.CoreV1Api()
options = {"stderr": True, "stdin": False, "stdout": True, "tty": False}
seen = {}


def run(command, **more):
    return stream(
        core.connect_get_namespaced_pod_exec, pod, namespace, command=command, _preload_content=False, **{**options, **more}
    )


began = time.monotonic()
failed = run(["cat", "/etc/hostname", "/missing"])
failed.run_forever(timeout=30)
seen["output"] = failed.read_stdout()
seen["errors"] = failed.read_stderr()
seen["code"] = failed.returncode
seen["seconds"] = time.monotonic() - began

echo = run(["cat"], stdin=True)
echo.write_stdin("hello\n")
seen["echoed"] = echo.readline_stdout(timeout=30) + "\n"
echo.close()

forward = portforward(core.connect_get_namespaced_pod_portforward, pod, namespace, ports="8080")
socket = forward.socket(8080)
socket.settimeout(30)
socket.sendall(b"over a port")
data = b""
while len(data) < 11:
    data += socket.recv(100)
seen["forwarded"] = data.decode()
socket.close()

try:
    stream(core.connect_get_namespaced_pod_exec, "none", namespace, command=["true"], **options)
except client.exceptions.ApiException as error:
    # Python's client tells the status of a refused WebSocket only in the text.
    seen["refused"] = error.status or int(str(error).split("Handshake status ")[1].split()[0])

print(json.dumps(seen))
