"""Opens connections as fast as it can and keeps them all; counts those that the gateway closes at once.

Usage: connect_flood.py PORT SERVER_CA CERTIFICATE KEY COUNT

Prints one line of JSON when nothing was closed for a second: how many were refused, and the seconds that it took.
"""

import selectors
import socket
import sys
import time

from h2_frames import *

port, count = int(sys.argv[1]), int(sys.argv[5])
raise_file_limit(count + 200)
waiting = selectors.DefaultSelector()
refused = 0
begun = last = time.monotonic()


def reap(seconds):
    global refused, last
    for key, _ in waiting.select(seconds):
        try:
            data = key.fileobj.recv(100)
        except OSError:
            data = b""
        if not data:
            refused += 1
            last = time.monotonic()
            waiting.unregister(key.fileobj)
            key.fileobj.close()


for _ in range(count):
    client = socket.socket()
    client.settimeout(60)
    try:
        client.connect(("127.0.0.1", port))
    except OSError:
        refused += 1
        continue
    waiting.register(client, selectors.EVENT_READ)
    reap(0)
# The gateway may be behind: it has a minute for the first that it refuses, and a second for each one more.
while refused < count - 100 and time.monotonic() < last + 60 or time.monotonic() < last + 1:
    reap(0.2)
say(refused=refused, seconds=round(time.monotonic() - begun, 1))
