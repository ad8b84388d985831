"""A well-behaved client beside the hostile ones: asks over HTTP/1.1 and HTTP/2, on kept and on new connections, until it is told to end.

Usage: neighbour.py PORT SERVER_CA CERTIFICATE KEY PATH

Prints "served" after its first answers, and at SIGTERM one line of JSON: answers by protocol, failures, and the slowest answer in seconds.
"""

import signal
import sys
import time

from h2_frames import Door, say
from well_behaved import H1, H2

door, path = Door(*sys.argv[1:5]), sys.argv[5]
served = {"h1": 0, "h2": 0}
failures = []
slowest = 0.0
is_told = False


def stop(*_):
    global is_told
    is_told = True


signal.signal(signal.SIGTERM, stop)
# A parent may have left it blocked.
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def ask(kind, connection=None):
    """Asks on a connection, or on a new one, and returns the connection; `None` where that failed."""
    global slowest
    begun = time.monotonic()
    try:
        connection = connection or kind(door)
        status = connection.ask(path)
        if status == 200:
            served[kind.name] += 1
        else:
            failures.append(f"{kind.name}: {status}")
    except Exception as error:
        failures.append(f"{kind.name}: {error!r}")
        connection = None
    slowest = max(slowest, time.monotonic() - begun)
    return connection


kept = {H1: None, H2: None}
turn = 0
while not is_told:
    for kind in kept:
        kept[kind] = ask(kind, kept[kind])
    new = ask((H1, H2)[turn % 2])
    if new:
        new.close()
    turn += 1
    if turn == 2:
        print("served", flush=True)
    time.sleep(0.05)
say(h1=served["h1"], h2=served["h2"], failures=failures[:10], failed=len(failures), slowest=round(slowest, 3))
