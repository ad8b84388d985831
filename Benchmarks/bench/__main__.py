"""Measures Sallyport against nginx and HAProxy in one run and writes a table: CPU microseconds per request of each proxy's
process, and the ratio to the better peer. The contenders take turns within each round; every figure is a median."""

import argparse
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import tempfile
import time

from . import contenders, counts, identity, loads
from . import pki
from .logsink import LogSink


class Bench:
    """The contenders of one run, and how long to measure."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.servers = []
        watch_port = contenders.free_port()
        # The proxy that is measured has a core; the load and the upstream share the other.
        self.watch_source = contenders.Server(
            "watches", ["python3", "-m", "bench.watches", "serve", watch_port, "1.0"], watch_port, cpu=loads.LOAD_CPU)
        self.servers.append(self.watch_source)
        self.upstream = contenders.upstream(folder, loads.LOAD_CPU, watches=watch_port)
        self.servers.append(self.upstream)
        self.peers = []

    def start(self, server):
        self.servers.append(server)
        return server

    def start_peers(self):
        self.peers = [self.start(contenders.nginx(self.folder, self.upstream, 0)),
                      self.start(contenders.haproxy(self.folder, self.upstream, 0)), self.start(self.sallyport())]

    def sallyport(self, rules=100):
        return contenders.sallyport(self.folder, self.upstream, 0, self.options.binary, rules)

    def stop(self):
        for server in reversed(self.servers):
            server.stop()

    def rounds(self, measure, servers=None):
        """Medians of what `measure(server)` returns, by the server's name."""
        servers = servers or self.peers
        figures = {server.name: [] for server in servers}
        for _ in range(self.options.rounds):
            for server in servers:
                figures[server.name].append(measure(server))
        return {name: [loads.median(column) for column in zip(*rows)] for name, rows in figures.items()}


def kept(path, connections):
    def measure(bench):
        for server in bench.peers:
            loads.wrk(server, path, connections, 1)
        return bench.rounds(lambda server: loads.wrk(server, path, connections, bench.options.seconds))
    return measure


def http2(bench):
    for server in bench.peers:
        loads.h2load(server, contenders.SMALL_PATH, 8, 8, 1)
    return bench.rounds(lambda server: loads.h2load(server, contenders.SMALL_PATH, 8, 8, bench.options.seconds))


def connections(certificate, resumed):
    def measure(bench):
        seconds = max(bench.options.seconds, 1)
        return bench.rounds(lambda server: loads.handshakes(server, seconds, bench.folder, certificate, resumed))
    return measure


def idle(bench):
    return {server.name: list(loads.idle_memory(server, bench.options.idle, bench.folder)) for server in bench.peers}


def watches(bench):
    figures = {}
    for server in bench.peers:
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
        figures[server.name] = [(server.cpu_seconds() - cpu) * 1e6 / max(counted["events"], 1), memory]
        reader.wait(30)
    return figures


def latency(bench):
    """The 99th percentile at half of what the slowest contender can carry, less that of the upstream itself."""
    direct = contenders.SMALL_PATH
    capacity = min(loads.wrk(server, direct, 32, 1)[1] for server in bench.peers)
    figures = bench.rounds(lambda server: [loads.latency(server, direct, capacity / 2, bench.options.seconds, bench.folder)])
    return {name: [row[0], capacity / 2] for name, row in figures.items()}


def rules(bench):
    few, many = bench.start(bench.sallyport(rules=10)), bench.start(bench.sallyport(rules=1000))
    for server in (few, many):
        loads.wrk(server, contenders.SMALL_PATH, 32, 1)
    figures = bench.rounds(lambda server: loads.wrk(server, contenders.SMALL_PATH, 32, bench.options.seconds), [few, many])
    return {"10 rules": figures[few.name], "1,000 rules": figures[many.name]}


# name: (what is measured, the unit of the first figure and of the second, the goal for the ratio)
WORK = {
    "HTTP/1.1 kept, 2 KB": (kept(contenders.SMALL_PATH, 32), "us CPU a request", "requests a second", 0.95),
    "HTTP/1.1 kept, 10 MB": (kept(contenders.LARGE_PATH, 4), "us CPU a request", "requests a second", 0.6),
    "HTTP/2, 2 KB": (http2, "us CPU a request", "requests a second", 1.0),
    "new connection": (connections(False, False), "us CPU a connection", "connections a second", 1.0),
    "new connection, resumed": (connections(False, True), "us CPU a connection", "connections a second", 1.0),
    "new connection, client certificate": (connections(True, False), "us CPU a connection", "connections a second", 1.0),
    "new connection, client certificate, resumed": (connections(True, True), "us CPU a connection", "connections a second", 1.0),
    "idle connections": (idle, "MB resident", "MB more than before", 1.2),
    "watches": (watches, "us CPU an event", "MB more than before", None),
    "p99 at half load": (latency, "ms", "requests a second", None),
    "policy rules": (rules, "us CPU a request", "requests a second", 1.02),
} | identity.WORK


def ratio(figures):
    """Sallyport's first figure to the better peer's; for the rules, many to few, and for a token, to a certificate."""
    if "10 rules" in figures:
        return figures["1,000 rules"][0] / figures["10 rules"][0]
    if "certificate" in figures:
        return figures["token"][0] / figures["certificate"][0]
    return figures["sallyport"][0] / min(figure[0] for peer, figure in figures.items() if peer != "sallyport")


def table(results, options):
    lines = [f"Median of {options.rounds} interleaved rounds of {options.seconds} s; the second figure of each cell in brackets.", "",
             "| work | nginx | HAProxy | Apache | Sallyport | ratio | goal |", "|---|---|---|---|---|---|---|"]
    for name, result in results.items():
        figures = result["figures"]
        cells = [figures.get(peer) for peer in ("nginx", "haproxy", "apache", "sallyport")]
        if "10 rules" in figures:
            cells = [None, None, None, figures["1,000 rules"]]
        if "certificate" in figures:
            cells = [None, None, None, figures["token"]]
        written = ["" if cell is None else f"{cell[0]:,.1f} ({cell[1]:,.0f})" for cell in cells]
        goal = "" if result["goal"] is None else f"{result['goal']:.2f}"
        lines.append(f"| {name}, {result['units'][0]} ({result['units'][1]}) | " + " | ".join(written)
                     + f" | {result['ratio']:.2f} | {goal} |")
    return "\n".join(lines)


def parse():
    arguments = argparse.ArgumentParser(prog="Benchmarks/run", description=__doc__)
    arguments.add_argument("--rounds", type=int)
    arguments.add_argument("--seconds", type=int)
    arguments.add_argument("--quick", action="store_true", help="one short round of everything, for a first look")
    arguments.add_argument("--only", action="append", default=[], help="measure only work whose name holds this; may be said several times")
    arguments.add_argument("--counts", action="store_true",
                           help="count instructions and allocations per request under valgrind instead of measuring time")
    arguments.add_argument("--binary", default=".build/release/sallyport", type=pathlib.Path)
    arguments.add_argument("--output", default=".build/benchmarks", type=pathlib.Path, help="where table and figures are written")
    options = arguments.parse_args()
    options.binary, options.output = options.binary.resolve(), options.output.resolve()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 3)
    options.idle, options.watches = (200, 100) if options.quick else (2000, 1000)
    return options


def main():
    options = parse()
    # HAProxy wants two descriptors for each of its 8,192 connections; the load has two thousand itself.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        pki.make(folder)
        if options.counts:
            return counts.run(folder, options)
        LogSink(folder)
        bench = Bench(folder, options)
        try:
            bench.start_peers()
            measure(bench, options)
        finally:
            bench.stop()


def measure(bench, options):
    results = {}
    wanted = options.only or [""]
    options.output.mkdir(parents=True, exist_ok=True)
    facts = {"date": time.strftime("%Y-%m-%d"), "machine": platform.platform(), "cores": os.cpu_count(), "rounds": options.rounds,
             "seconds": options.seconds}
    for name, (work, first, second, goal) in WORK.items():
        if not any(part in name for part in wanted):
            continue
        began = time.monotonic()
        figures = work(bench)
        results[name] = {"figures": figures, "units": [first, second], "ratio": ratio(figures), "goal": goal, "load": os.getloadavg()[0]}
        print(f"{name}: {results[name]['ratio']:.2f} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
        # Written each time: what was measured stays, whatever ends the run.
        (options.output / "table.md").write_text(table(results, options) + "\n")
        (options.output / "figures.json").write_text(json.dumps({"run": facts, "work": results}, indent=2) + "\n")
    print(table(results, options))


main()
