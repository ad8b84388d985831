"""What is put on a proxy: each function is one bounded run and returns what the proxy paid for it."""

import json
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import time

from . import contenders

LOAD_CPU = "1"


def run(*command):
    return subprocess.run(["taskset", "-c", LOAD_CPU, *map(str, command)], capture_output=True, text=True, check=True).stdout


def wrk(server, path, connections, seconds):
    """Requests on kept HTTP/1.1 connections: CPU microseconds a request, requests a second."""
    before = server.cpu_seconds()
    out = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", f"Authorization: {contenders.AUTHORIZATION}",
              f"https://127.0.0.1:{server.port}{path}")
    used = server.cpu_seconds() - before
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{server.name} failed requests:\n{out}")
    return used * 1e6 / max(requests, 1), float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


# wrk asks for each request's text: the tokens of a file in turn, from a place of their own for each thread.
TOKENS_SCRIPT = """
local requests, index = {}, 0
function init(arguments)
  for token in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", nil, {["Authorization"] = "Bearer " .. token})
  end
end
function request()
  index = index % #requests + 1
  return requests[index]
end
"""


def wrk_tokens(server, path, connections, seconds, tokens):
    """The same as `wrk`, with the tokens of a file in turn."""
    script = tokens.parent / "tokens.lua"
    script.write_text(TOKENS_SCRIPT)
    before = server.cpu_seconds()
    out = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"https://127.0.0.1:{server.port}{path}", "--", tokens)
    used = server.cpu_seconds() - before
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    if "Non-2xx" in out or "Socket errors" in out or not requests:
        raise SystemExit(f"{server.name} failed requests:\n{out}")
    return used * 1e6 / requests, float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def kept(server, connections, seconds, folder, certificate=False, authorization=""):
    """Requests on kept HTTP/1.1 connections, by a client certificate or by what `Authorization` says.

    The handshakes are in it; they are few beside the requests."""
    before = server.cpu_seconds()
    counts = json.loads(run(sys.executable, "-m", "bench.kept", server.port, seconds, folder, connections, int(certificate), authorization))
    used = server.cpu_seconds() - before
    return used * 1e6 / counts["requests"], counts["requests"] / counts["seconds"]


def h2load(server, path, connections, streams, seconds, *more):
    """Requests on kept HTTP/2 connections, so many streams at a time on each."""
    before = server.cpu_seconds()
    out = run("h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}", *more,
              "-H", f"authorization: {contenders.AUTHORIZATION}", f"https://127.0.0.1:{server.port}{path}")
    used = server.cpu_seconds() - before
    good, bad = (int(n) for n in re.search(r"status codes: (\d+) 2xx, \d+ 3xx, (\d+) 4xx", out).groups())
    if bad or not good:
        raise SystemExit(f"{server.name} failed requests:\n{out}")
    return used * 1e6 / good, float(re.search(r"([\d.]+) req/s", out).group(1))


def latency(server, path, rate, seconds, folder):
    """The 99th percentile in milliseconds of requests that come at a fixed rate, on 16 connections."""
    log = folder / "latency.log"
    log.unlink(missing_ok=True)
    run("h2load", "--h1", "-t1", "-c16", f"-D{seconds}", f"--rps={rate / 16:.2f}", f"--log-file={log}",
        "-H", f"authorization: {contenders.AUTHORIZATION}", f"https://127.0.0.1:{server.port}{path}")
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    return times[int(len(times) * 0.99)] / 1000


def handshakes(server, seconds, folder, certificate, resumed):
    """New connections with one request each: CPU microseconds a connection, connections a second.

    The load is a process of its own on the load's core, since a handshake costs the client as much as the server."""
    before = server.cpu_seconds()
    out = run(sys.executable, "-m", "bench.handshakes", server.port, seconds, folder, int(certificate), int(resumed))
    used = server.cpu_seconds() - before
    counts = json.loads(out)
    if resumed and counts["resumed"] < counts["connections"] * 0.9:
        raise SystemExit(f"{server.name} resumed {counts['resumed']} of {counts['connections']} sessions")
    return used * 1e6 / counts["connections"], counts["connections"] / seconds


def client_context(folder, certificate=False):
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if certificate:
        context.load_cert_chain(folder / "user.pem", folder / "user.key")
    return context


def request(path):
    return (f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {contenders.AUTHORIZATION}\r\n\r\n").encode()


def idle_memory(server, count, folder):
    """What so many connections that lie idle behind one request each occupy, in MB of resident memory."""
    context = client_context(folder)
    before = server.memory_mb()
    open_connections = []
    try:
        for _ in range(count):
            stream = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), 20), server_hostname="localhost")
            stream.sendall(request(contenders.SMALL_PATH))
            received = b""
            while b"}}" not in received:
                received += stream.recv(65536)
            if b" 200 " not in received[:20]:
                raise SystemExit(f"{server.name} answered {received[:80]!r}")
            open_connections.append(stream)
        time.sleep(1)
        return server.memory_mb(), server.memory_mb() - before
    finally:
        for stream in open_connections:
            stream.close()
