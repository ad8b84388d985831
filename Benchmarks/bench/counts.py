"""Counts what a request costs in instructions and allocations, which no neighbour on the machine can change.

Sallyport runs under valgrind's callgrind, which counts what happens in user space: the kernel's part is not in it."""

import collections
import pathlib
import re
import subprocess

from . import contenders, identity, variants

# What is counted by calls, with the names that such functions have.
CALLS = {
    "allocations": re.compile(r"^(malloc|calloc|realloc|posix_memalign|aligned_alloc)$"),
    "Swift objects": re.compile(r"^(_?swift_allocObject_?)$"),
    "retains": re.compile(r"^(_?swift_(bridgeObject)?[rR]etain(_n)?_?)$"),
    "releases": re.compile(r"^(_?swift_(bridgeObject)?[rR]elease(_n)?_?)$"),
}
WORK = {
    "HTTP/1.1 kept, 2 KB": (contenders.SMALL_PATH, ["--h1", "-c8"], 2000),
    "HTTP/1.1 kept, 10 MB": (contenders.LARGE_PATH, ["--h1", "-c2"], 10),
    "HTTP/2, 2 KB": (contenders.SMALL_PATH, ["-c4", "-m8"], 2000),
}

# Valgrind writes into the mask that libdispatch hands to sigsuspend(2), which is a constant: it gets a copy.
SHIM = """
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
int sigsuspend(const sigset_t *mask) { sigset_t copy = *mask; return syscall(SYS_rt_sigsuspend, &copy, 8); }
"""


def run(bench):
    subprocess.run(["sh", "-c", "command -v valgrind >/dev/null || { echo 'valgrind is missing: apt-get install valgrind' >&2; exit 1; }"],
                   check=True)
    wanted = bench.options.only or [""]
    binary, bench.options.binary = bench.options.binary, wrap(bench.folder, bench.options.binary)
    print("| work | instructions | " + " | ".join(CALLS) + " |")
    print("|---" * (len(CALLS) + 2) + "|")
    for name, (path, load, requests) in WORK.items():
        if any(part in name for part in wanted):
            show(name, count(bench, lambda: bench.sallyport("sallyport"), path, [*load, *BY_PASSWORD], requests), requests)
    for title, started, header in [("audit record", variants.audit, BY_PASSWORD), ("credential", variants.credentials, None)]:
        if not any(part in title for part in wanted):
            continue
        # Keys are made by the gateway itself, which need not be counted.
        bench.options.binary, counted = binary, bench.options.binary
        starters = started(bench)
        bench.options.binary = counted
        for name, start in starters.items():
            token = ["-H", f"authorization: Bearer {next(iter(identity.cast(bench).opaque))}"] if header is None else header
            show(f"{title}: {name}", count(bench, start, contenders.SMALL_PATH, ["--h1", "-c8", *token], 2000), 2000)


BY_PASSWORD = ["-H", f"authorization: {contenders.AUTHORIZATION}"]


def show(name, counted, requests):
    instructions, calls = counted
    print(f"| {name} | {instructions / requests:,.0f} | " + " | ".join(f"{calls[kind] / requests:,.1f}" for kind in CALLS) + " |", flush=True)


def wrap(folder, binary):
    """A program that runs the gateway under callgrind, which counts once it is told to."""
    # Valgrind gives up on debugging information that is newer than itself; the symbols are enough.
    stripped = folder / "sallyport-stripped"
    subprocess.run(["strip", "--strip-debug", "-o", stripped, binary], check=True)
    (folder / "shim.c").write_text(SHIM)
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c"], check=True)
    wrapped = folder / "sallyport-counted"
    wrapped.write_text(f'#!/bin/sh\nLD_PRELOAD={folder}/shim.so exec valgrind --tool=callgrind --instr-atstart=no '
                       f'--callgrind-out-file={folder}/callgrind.out {stripped} "$@"\n')
    wrapped.chmod(0o755)
    return wrapped


def count(bench, start, path, load, requests):
    for old in bench.folder.glob("callgrind.out*"):
        old.unlink()
    server = start()
    try:
        h2load(server, path, load, 100 if requests > 100 else 2)
        control(server, "-i", "on")
        h2load(server, path, load, requests)
        control(server, "-i", "off")
        control(server, "-d")
    finally:
        server.stop()
    return read(sorted(bench.folder.glob("callgrind.out*"), key=lambda file: file.stat().st_size)[-1])


def control(server, *arguments):
    subprocess.run(["callgrind_control", *arguments, str(server.process.pid)], check=True, capture_output=True)


def h2load(server, path, load, requests):
    out = subprocess.run(["h2load", "-t1", *load, f"-n{requests}", f"https://127.0.0.1:{server.port}{path}"],
                         capture_output=True, text=True, check=True).stdout
    if f"{requests} 2xx" not in out:
        raise SystemExit(f"failed requests:\n{out}")


def read(file: pathlib.Path):
    """Instructions in all, and calls by kind."""
    names, total = {}, 0
    calls = collections.Counter()
    with file.open(errors="replace") as lines:
        callee = ""
        for line in lines:
            if line.startswith(("totals:", "summary:")):
                total = int(line.split()[1])
            elif line.startswith(("fn=", "cfn=")):
                kind, rest = line.rstrip("\n").split("=", 1)
                number, _, name = rest.partition(" ")
                if name:
                    names[number] = name
                if kind == "cfn":
                    callee = names[number]
            elif line.startswith("calls="):
                for kind, pattern in CALLS.items():
                    if pattern.match(callee):
                        calls[kind] += int(line[6:].split()[0])
    return total, calls
