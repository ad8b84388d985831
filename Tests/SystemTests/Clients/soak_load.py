"""A steady load of everything that clients do, at a pace that leaves the machine some rest.

Usage: soak_load.py PORT SERVER_CA CERTIFICATE KEY SECONDS

Reads, writes, watches, uploads, downloads and tunnels that end well or badly, and some that break the rules. Prints "loading" at the
beginning, and in the end one line of JSON: how often each was done, and what of it failed.
"""

import collections
import contextlib
import hashlib
import http.client
import json
import os
import random
import socket
import sys
import threading
import time

from h2_frames import *
from well_behaved import H1, H2, once

door = Door(*sys.argv[1:5])
end = time.monotonic() + float(sys.argv[5])
pod = "/api/v1/namespaces/dev/pods/web-0"
config_maps = "/api/v1/namespaces/dev/configmaps"
done = collections.Counter()
failures = []


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def kept(kind):
    connection = kind(door)

    def ask():
        expect(connection.ask(pod) == 200, "a kept connection")

    return ask


def new():
    for kind in (H1, H2):
        expect(once(kind, door, pod) == 200, f"a new connection of {kind.name}")


def plain():
    return http.client.HTTPSConnection("localhost", door.port, context=door.context("http/1.1", True), timeout=60)


def writes():
    name, connection = f"soak-{time.monotonic_ns()}", plain()
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b" * 1000}})
    for method, path, content, status in (("POST", config_maps, body, 201), ("DELETE", f"{config_maps}/{name}", None, 200)):
        connection.request(method, path, body=content, headers={"Content-Type": "application/json"} if content else {})
        answer = connection.getresponse()
        answer.read()
        expect(answer.status == status, f"{method}: {answer.status}")
    connection.close()


def watches():
    """One over HTTP/1.1 and one over HTTP/2, which end in the middle."""
    connection = plain()
    connection.request("GET", config_maps + "?watch=1")
    answer = connection.getresponse()
    expect(answer.status == 200 and b"ADDED" in answer.readline(), "a watch")
    client = Client(door)
    client.send(PREFACE + settings() + request(1, config_maps + "?watch=1") + request(3, pod))
    client.take(60, until=lambda parser: len(parser.statuses) == 2)
    expect(set(client.parser.statuses.values()) == {200}, "a watch of HTTP/2")
    time.sleep(random.uniform(0, 2))
    connection.sock.close()
    client.send(reset(1))
    client.close()


def downloads():
    connection = plain()
    connection.request("GET", "/sink/bytes/2000000")
    expect(len(connection.getresponse().read()) == 2_000_000, "a download")
    connection.close()


def uploads():
    body, connection = os.urandom(1_000_000), plain()
    connection.request("PUT", "/sink/upload", body=body)
    expect(json.loads(connection.getresponse().read())["sha256"] == hashlib.sha256(body).hexdigest(), "an upload")
    connection.close()


def tunnels():
    tunnel = door.connect("http/1.1")
    tunnel.sendall(
        b"GET /sink/tunnel HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    data = b""
    while b"\r\n\r\n" not in data:
        data += tunnel.recv(4096) or b"\r\n\r\n"
    expect(data.startswith(b"HTTP/1.1 101 "), f"a tunnel: {data[:100]}")
    for _ in range(5):
        sent, back = os.urandom(30_000), b""
        tunnel.sendall(sent)
        while len(back) < len(sent):
            part = tunnel.recv(1 << 16)
            expect(part, "a tunnel that broke off")
            back += part
        expect(back == sent, "a tunnel's echo")
        time.sleep(0.05)
    tunnel.close()


def broken():
    """Each of these ends badly, and has to."""
    client = Client(door)
    client.send(PREFACE + settings() + b"".join(request(2 * n + 1, pod) + reset(2 * n + 1) for n in range(20)) + frame(DATA, 0, 0, b"x"))
    client.take(5)
    client.close()
    for data in (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", b"POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"):
        half = door.connect("http/1.1")
        half.sendall(data)
        half.close()
    with contextlib.suppress(OSError):
        knock = socket.create_connection(("127.0.0.1", door.port), timeout=60)
        knock.sendall(b"no TLS at all\r\n\r\n")
        knock.recv(100)
        knock.close()


def steadily(name, work, pause):
    while time.monotonic() < end:
        try:
            work()
            done[name] += 1
        except Exception as error:
            failures.append(f"{name}: {error!r}")
        time.sleep(pause)


def stays():
    """A watch that is there from the beginning to the end, and misses none of what is written."""
    connection = plain()
    connection.request("GET", config_maps + "?watch=1")
    answer = connection.getresponse()
    while time.monotonic() < end:
        line = answer.readline()
        if not line:
            failures.append("the watch that stays: it ended")
            return
        done["events of the watch that stays"] += b'"soak-' in line


kinds = [
    ("kept h1", kept(H1), 0.02), ("kept h2", kept(H2), 0.02), ("new", new, 0.1), ("writes", writes, 0.1), ("watches", watches, 0.2),
    ("downloads", downloads, 0.3), ("uploads", uploads, 0.3), ("tunnels", tunnels, 0.1), ("broken", broken, 0.3),
]
threads = [threading.Thread(target=steadily, args=kind) for kind in kinds]
for thread in threads:
    thread.start()
threading.Thread(target=stays, daemon=True).start()
print("loading", flush=True)
for thread in threads:
    thread.join()
say(done=dict(done), failures=failures[:10], failed=len(failures))
