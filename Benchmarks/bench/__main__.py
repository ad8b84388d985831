"""Runs the measurements and prints a table: CPU microseconds per request of each proxy's process, and the ratio to the better peer."""

import argparse
import pathlib
import re
import statistics
import subprocess
import tempfile

from . import contenders, pki
from .logsink import LogSink

WORK = {
    "HTTP/1.1 keep-alive, 2 KB": dict(path=contenders.SMALL_PATH, connections=32),
    "HTTP/1.1 keep-alive, 10 MB": dict(path=contenders.LARGE_PATH, connections=4),
}


def load(server, path, connections, seconds, cpu):
    """One bounded run of wrk. Returns CPU microseconds a request, requests a second, and whether all were answered with 200."""
    before = server.cpu_seconds()
    run = subprocess.run(
        ["taskset", "-c", str(cpu), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", f"Authorization: {contenders.AUTHORIZATION}",
         f"https://127.0.0.1:{server.port}{path}"], capture_output=True, text=True, check=True)
    used = server.cpu_seconds() - before
    requests = int(re.search(r"(\d+) requests in", run.stdout).group(1))
    if "Non-2xx" in run.stdout or "Socket errors" in run.stdout:
        raise SystemExit(f"{server.name} failed requests:\n{run.stdout}")
    return used * 1e6 / max(requests, 1), float(re.search(r"Requests/sec:\s+([\d.]+)", run.stdout).group(1))


def main():
    arguments = argparse.ArgumentParser(prog="Benchmarks/run", description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--only", default="", help="measure only work whose name holds this")
    arguments.add_argument("--binary", default=".build/release/sallyport")
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        pki.make(folder)
        LogSink(folder)
        servers = []
        try:
            # The proxy that is measured has a core; the load and the upstream share the other.
            up = contenders.upstream(folder, cpu=1)
            servers.append(up)
            binary = pathlib.Path(options.binary).resolve()
            peers = [contenders.nginx(folder, up, 0), contenders.haproxy(folder, up, 0), contenders.sallyport(folder, up, 0, binary)]
            servers += peers
            table(peers, options)
        finally:
            for server in servers:
                server.stop()


def table(peers, options):
    print(f"CPU us per request, median of {options.rounds} interleaved rounds of {options.seconds} s; requests per second in brackets.\n")
    print("| work | " + " | ".join(peer.name for peer in peers) + " | ratio to the better peer |")
    print("|---" * (len(peers) + 2) + "|")
    for name, work in WORK.items():
        if options.only not in name:
            continue
        figures = {peer.name: [] for peer in peers}
        for peer in peers:
            load(peer, seconds=1, cpu=1, **work)
        for _ in range(options.rounds):
            for peer in peers:
                figures[peer.name].append(load(peer, seconds=options.seconds, cpu=1, **work))
        medians = {peer: (statistics.median(f[0] for f in rows), statistics.median(f[1] for f in rows)) for peer, rows in figures.items()}
        better = min(cost for peer, (cost, _) in medians.items() if peer != "sallyport")
        cells = [f"{medians[peer.name][0]:.1f} ({medians[peer.name][1]:.0f})" for peer in peers]
        print(f"| {name} | " + " | ".join(cells) + f" | {medians['sallyport'][0] / better:.2f} |", flush=True)


main()
