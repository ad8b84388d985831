"""What every proxy does, at nginx, HAProxy and Sallyport."""

import json
import subprocess
import sys
import time

from . import contenders, loads
from .rows import CONNECTIONS, Row


def kept(path, connections):
    return lambda bench: bench.rounds(lambda server, seconds: loads.wrk(server, path, connections, seconds))


def http2(bench):
    return bench.rounds(lambda server, seconds: loads.h2load(server, contenders.SMALL_PATH, 8, 8, seconds))


def connections(certificate, resumed):
    return lambda bench: bench.rounds(lambda server, seconds: loads.handshakes(server, seconds, bench.folder, certificate, resumed))


def idle(bench):
    return {name: [loads.idle_memory(server, bench.options.idle, bench.folder)] for name, server in bench.peers.items()}


def watches(bench):
    return {name: [watched(bench, server)] for name, server in bench.peers.items()}


def watched(bench, server):
    before = server.memory_mb()
    reader = subprocess.Popen(
        ["taskset", "-c", loads.LOAD_CPU, sys.executable, "-m", "bench.watches", "read", str(server.port), str(bench.options.watches),
         str(bench.options.seconds + 2), str(bench.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if reader.stdout.readline().strip() != "ready":
        raise SystemExit(f"{server.name} does not serve {bench.options.watches} watches")
    time.sleep(2)
    cpu, memory = server.cpu_seconds(), server.memory_mb() - before
    reader.stdin.write("\n")
    reader.stdin.flush()
    counted = json.loads(reader.stdout.readline())
    used = server.cpu_seconds() - cpu
    reader.wait(30)
    return used * 1e6 / max(counted["events"], 1), memory


def latency(bench):
    """The 99th percentile at half of what the slowest contender can carry, and that rate."""
    rate = min(loads.wrk(server, contenders.SMALL_PATH, 32, 1)[1] for server in bench.peers.values()) / 2
    return bench.rounds(lambda server, seconds: (loads.latency(server, contenders.SMALL_PATH, rate, seconds, bench.folder), rate))


WORK = {
    "HTTP/1.1 kept, 2 KB": Row(kept(contenders.SMALL_PATH, 32), goal=0.95),
    "HTTP/1.1 kept, 10 MB": Row(kept(contenders.LARGE_PATH, 4), goal=0.6),
    "HTTP/2, 2 KB": Row(http2, goal=1.0),
    "new connection": Row(connections(False, False), CONNECTIONS, goal=1.0),
    "new connection, resumed": Row(connections(False, True), CONNECTIONS, goal=1.0),
    "new connection, client certificate": Row(connections(True, False), CONNECTIONS, goal=1.0),
    "new connection, client certificate, resumed": Row(connections(True, True), CONNECTIONS, goal=1.0),
    "idle connections": Row(idle, ("MB resident", "MB more than before"), goal=1.2),
    "watches": Row(watches, ("us CPU an event", "MB more than before")),
    "p99 at half load": Row(latency, ("ms", "requests a second")),
}
