"""Measures Sallyport against nginx, HAProxy and Apache in one run and writes a table: CPU microseconds per request of each proxy's
process, and the ratio to the better peer; below it what parts of Sallyport's own work cost. The contenders take turns within each
round; every figure is a median."""

import argparse
import functools
import json
import os
import pathlib
import platform
import resource
import signal
import sys
import tempfile
import time

from . import contenders, counts, identity, loads, peers, pki, rows, variants
from .logsink import LogSink


class Bench:
    """The contenders of one run, and how long to measure."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.servers = []

    def start(self, server):
        self.servers.append(server)
        return server

    @functools.cached_property
    def upstream(self):
        port = contenders.free_port()
        # The proxy that is measured has a core; the load and the upstream share the other.
        self.start(contenders.Server("watches", ["python3", "-m", "bench.watches", "serve", port, "1.0"], port, cpu=loads.LOAD_CPU))
        return self.start(contenders.upstream(self.folder, loads.LOAD_CPU, watches=port))

    @functools.cached_property
    def peers(self):
        """The proxies by name, started when the first of their rows is measured."""
        started = [self.start(contenders.nginx(self.folder, self.upstream, 0)),
                   self.start(contenders.haproxy(self.folder, self.upstream, 0)), self.sallyport("sallyport")]
        return {server.name: server for server in started}

    def sallyport(self, name, **parts):
        return self.start(contenders.sallyport(self.folder, self.upstream, 0, self.options.binary, name, **parts))

    def stop(self):
        for server in reversed(self.servers):
            server.stop()

    def rounds(self, load, contenders=None):
        """What `load(contender, seconds)` gave in each round, by the contender's name; all are warmed up before."""
        contenders = contenders or self.peers
        figures = {name: [] for name in contenders}
        for contender in contenders.values():
            load(contender, 1)
        for number in range(self.options.rounds):
            # There and back, so that nobody is always the one behind another.
            for name in list(contenders)[::1 if number % 2 == 0 else -1]:
                figures[name].append(load(contenders[name], self.options.seconds))
        return figures


WORK = peers.WORK | identity.WORK | variants.WORK


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
        bench = Bench(folder, options)
        # Whoever ends a run ends what it started, too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            if options.counts:
                return counts.run(bench)
            LogSink(folder)
            measure(bench, options)
        finally:
            bench.stop()


def measure(bench, options):
    results = {}
    wanted = options.only or [""]
    options.output.mkdir(parents=True, exist_ok=True)
    facts = {"date": time.strftime("%Y-%m-%d"), "machine": platform.platform(), "cores": os.cpu_count(), "rounds": options.rounds,
             "seconds": options.seconds}
    head = f"Median of {options.rounds} interleaved rounds of {options.seconds} s; the second figure of each cell in brackets.\n\n"
    for name, row in WORK.items():
        if not any(part in name for part in wanted):
            continue
        began = time.monotonic()
        result = row.result(row.measure(bench))
        results[name] = {**result, "load": os.getloadavg()[0]}
        ratios = ", ".join(f"{whose} {ratio:.3f}" for whose, ratio in result["ratios"].items())
        print(f"{name}: {ratios} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
        # Written each time: what was measured stays, whatever ends the run.
        (options.output / "table.md").write_text(head + rows.table(results) + "\n")
        (options.output / "figures.json").write_text(json.dumps({"run": facts, "work": results}, indent=2) + "\n")
    print(head + rows.table(results))


main()
