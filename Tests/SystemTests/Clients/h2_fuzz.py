"""Fuzzes a gateway with connections of HTTP/2 that are nearly right. Everything about a connection follows from its seed.

Usage: h2_fuzz.py PORT SERVER_CA CERTIFICATE KEY FIRST_SEED COUNT PATH [BATCH]

After each batch (100 connections) a client of another library's must be served, over both protocols. Prints the seeds whose connection
saw the server break the protocol itself, and the seeds of a batch behind which nobody was served: the same command with such a seed and
a COUNT of 1 does the same again. Ends with one line of JSON, and with status 1 where anything failed.
"""

import collections
import concurrent.futures
import random
import struct
import sys
import time

from h2_frames import *
from well_behaved import H1, H2, once

port, authority, certificate, key, first, count, path = sys.argv[1:8]
batch = int(sys.argv[8]) if len(sys.argv) > 8 else 100
door = Door(port, authority, certificate, key)

paths = [path, path, path, "/version", "/healthz", "/", "", "*", "//", "/%", "/a/../b", "/api/v1/namespaces/dev/configmaps?watch=1", "/x#y"]
fields = [
    ("content-length", "5"), ("content-length", "0"), ("content-length", "-1"), ("content-length", "5, 5"), ("te", "trailers"),
    ("te", "gzip"), ("connection", "close"), ("host", "localhost"), ("host", "other"), ("cookie", "a=b"), ("x-remote-user", "root"),
    (":path", "/x"), (":status", "200"), (":protocol", "websocket"), ("a", "\r\n"), ("A", "b"), ("expect", "100-continue"),
    ("transfer-encoding", "chunked"), ("a", "\0"), ("a", " b"), ("a b", "c"), ("a:", "b"), ("\xff", "\xff"),
    ("authorization", "Basic AAAA"), ("authorization", "Bearer x.y.z"), ("impersonate-user", "root"), ("upgrade", "websocket"),
    ("origin", "https://evil.example"), ("content-type", "application/grpc"), ("x", "y" * 5000),
]
sections = [
    b"", b"\x80", b"\xbf", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x3f\xff\xff\xff\x7f", b"\x20", b"\x3f\xe1\x1f", b"\x00",
    b"\x00\x85\xff\xff\xff\xff\xff\x00", b"\x00\xff\xff\xff\xff\x0f", b"\x82\x84\x87\x41", b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x82\x82\x84\x87", b"\x82\x84\x87\xbe", b"\x00\x81\x00\x00",
]
numbers = [0, 1, 2, 100, 16383, 16384, 16385, 65535, 0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


good = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
LAST = b"the last"


def some_fields(chance):
    return [chance.choice(fields) for _ in range(chance.choice([0, 0, 0, 1, 1, 2, 30]))]


def split_request(chance, stream, is_wild=False):
    """A request whose section comes in several frames, perhaps padded, with a priority, or without its end."""
    pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", chance.choice(paths))]
    if chance.random() < 0.2:
        chance.shuffle(pseudo)
    if chance.random() < 0.1:
        pseudo.pop(chance.randrange(4))
    whole = section(pseudo + some_fields(chance))
    cuts = sorted(chance.randrange(len(whole) + 1) for _ in range(chance.randrange(4)))
    parts = [whole[a:b] for a, b in zip([0] + cuts, cuts + [len(whole)])]
    flags, before, after = chance.choice([0, END_STREAM]), b"", b""
    if chance.random() < 0.4:
        padding = chance.randrange(0, 256)
        flags, before, after = flags | PADDED, bytes([padding]), bytes(padding)
    if chance.random() < 0.3:
        flags, before = flags | WITH_PRIORITY, before + struct.pack(">IB", chance.choice([0, 0x80000000, stream + 2] + [stream] * is_wild), 16)
    frames = [[HEADERS, flags, stream, before + parts[0] + after]] + [[CONTINUATION, 0, stream, part] for part in parts[1:]]
    if chance.random() < 0.9:
        frames[-1][1] |= END_HEADERS
    return frames


def polite(chance, stream):
    """A request that may be wrong as a request, and is right as frames: it ends no more than its stream."""
    ends = chance.random() < 0.6
    if chance.random() < 0.2:
        frames = split_request(chance, stream)
        frames[0][1] = frames[0][1] & ~END_STREAM | (END_STREAM if ends else 0)
        frames[-1][1] |= END_HEADERS
    else:
        pseudo = good if chance.random() < 0.7 else [(":method", chance.choice(["GET", "POST", "HEAD", "CONNECT", "TRACE", "G\0T"]))] + good[1:3] + [
            (":path", chance.choice(paths))]
        frames = [[HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, section(pseudo + some_fields(chance))]]
    if not ends:
        for _ in range(chance.randrange(4)):
            frames.append([DATA, 0, stream, chance.randbytes(chance.choice([1, 5, 40, 300]))])
        last = chance.random()
        if last < 0.5:
            frames.append([DATA, END_STREAM, stream, b"12345"])
        elif last < 0.55:
            frames.append([HEADERS, END_HEADERS | END_STREAM, stream, section(some_fields(chance))])
        elif last < 0.9:
            frames.append([RST_STREAM, 0, stream, struct.pack(">I", 8)])
    return frames


def wild(chance, stream):
    """A frame that means something, in a place where it may mean nothing."""
    kind = chance.randrange(16)
    junk = chance.randbytes(chance.choice([0, 1, 5, 40, 300]))
    if kind < 6:
        pseudo = [(":method", chance.choice(["GET", "POST", "HEAD", "PUT", "CONNECT", "TRACE", "PRI", "G\0T"])), (":scheme", "https"),
                  (":authority", chance.choice(["localhost", "localhost", "other", ""])), (":path", chance.choice(paths))]
        return [[HEADERS, END_HEADERS | chance.choice([0, END_STREAM]), stream, section(pseudo + some_fields(chance))]]
    if kind == 6:
        return split_request(chance, stream, True)
    if kind < 9:
        padding = chance.randrange(256)
        if chance.random() < 0.3:
            return [[DATA, PADDED | chance.choice([0, END_STREAM]), stream, bytes([padding]) + junk + bytes(padding)]]
        return [[DATA, chance.choice([0, END_STREAM]), stream, junk]]
    if kind == 9:
        return [[RST_STREAM, 0, stream, struct.pack(">I", chance.randrange(20))]]
    if kind == 10:
        pairs = [(chance.randrange(0, 10), chance.choice(numbers)) for _ in range(chance.choice([0, 1, 1, 3, 50]))]
        return [[SETTINGS, chance.choice([0, 0, 0, ACK]), 0, b"".join(struct.pack(">HI", *pair) for pair in pairs)]]
    if kind == 11:
        return [[WINDOW_UPDATE, 0, chance.choice([0, stream]), struct.pack(">I", chance.choice(numbers))]]
    if kind == 12:
        return [[PING, chance.choice([0, ACK]), 0, bytes(8)]]
    if kind == 13:
        return [[PRIORITY, 0, stream, struct.pack(">IB", chance.choice([0, stream, 7, 0x80000000]), chance.randrange(256))]]
    if kind == 14:
        return [[HEADERS, END_HEADERS | chance.choice([0, END_STREAM]), stream, chance.choice(sections) + junk[:chance.randrange(41)]]]
    return [[chance.choice([PUSH_PROMISE, GOAWAY, CONTINUATION, 10, 12, 16, 0xFE]), chance.randrange(256), chance.choice([0, stream]), junk]]


def mutate(chance, frames):
    """Most connections get a few faults; some none, or nothing would get far."""
    for _ in range(chance.choice([0, 0, 1, 1, 2, 3, 8])):
        if not frames:
            return
        at = chance.randrange(len(frames))
        kind = chance.randrange(12)
        one = frames[at]
        if kind == 0:
            frames.insert(at, list(one))
        elif kind == 1:
            frames.insert(chance.randrange(len(frames) + 1), frames.pop(at))
        elif kind == 2:
            frames.pop(at)
        elif kind == 3:
            one[2] = chance.choice([0, 1, 2, 3, 99, 0x7FFFFFFF, 0x80000001, 0xFFFFFFFF, chance.getrandbits(32)])
        elif kind == 4:
            one[1] = chance.randrange(256)
        elif kind == 5:
            one[0] = chance.randrange(256)
        elif kind == 6:
            one[3] = one[3][:chance.randrange(len(one[3]) + 1)]
        elif kind == 7 and one[3]:
            where = chance.randrange(len(one[3]))
            one[3] = one[3][:where] + bytes([one[3][where] ^ 1 << chance.randrange(8)]) + one[3][where + 1:]
        elif kind == 8:
            one[3] += chance.randbytes(chance.choice([1, 6, 200, 17000]))
        elif kind == 9:
            one[4:] = [chance.choice([0, 1, len(one[3]) + 1, max(0, len(one[3]) - 1), 16385, 0xFFFFFF])]
        elif kind == 10:
            chance.shuffle(frames)
        else:
            frames.insert(at, [chance.randrange(256), chance.randrange(256), chance.getrandbits(32), chance.randbytes(chance.randrange(60))])


def connection(seed):
    """The bytes of a connection, how it is torn into writes, and its manners."""
    chance = random.Random(seed)
    stream, frames, is_wild = 1, [], chance.random() < 0.5
    for _ in range(chance.randrange(1, 25)):
        frames += (wild if is_wild else polite)(chance, stream)
        if not is_wild or chance.random() < 0.5:
            stream += 2
    if is_wild or chance.random() < 0.3:
        mutate(chance, frames)
    beginning = PREFACE
    if chance.random() < 0.05:
        beginning = chance.choice([b"", PREFACE[:-1], PREFACE[:10], b"GET / HTTP/1.1\r\n\r\n", PREFACE.lower(), PREFACE + PREFACE])
    if chance.random() < 0.7:
        beginning += settings() + frame(SETTINGS, ACK)
    elif chance.random() < 0.9:
        beginning += settings(*[(chance.randrange(1, 8), chance.choice(numbers))] if chance.random() < 0.5 else [])
    data = beginning + b"".join(frame(*one) for one in frames)
    if chance.random() < 0.15:
        data = data[:chance.randrange(len(data) + 1)]
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice([0, 0, 1, 2, 8])))
    writes = [data[a:b] for a, b in zip([0] + cuts, cuts + [len(data)])]
    return writes, chance.random() < 0.7, chance.random() < 0.3, chance.random() < 0.5


def play(seed):
    """Runs one connection to its end; the server's own faults are raised."""
    writes, with_certificate, is_abrupt, reads_between = connection(seed)
    client = Client(door, with_certificate)
    for part in writes:
        client.send(part)
        if reads_between:
            client.take()
    # The gateway shows that it has come to the end by an answer to a PING, or by ending the connection; an upstream's may follow. Of a
    # frame that is not whole it waits for the rest.
    client.send(frame(PING, payload=LAST))
    client.take(0.25, until=lambda parser: parser.last_pong == int.from_bytes(LAST, "big"))
    client.take(0.05)
    client.close(is_abrupt)
    return client.parser


def outcome(seed):
    """What came of a connection: its parser, or what is wrong."""
    try:
        return play(seed)
    except Violation as violation:
        return f"the server sent {violation}"
    except OSError as error:
        return f"no connection: {error!r}"


begun = time.monotonic()
results, goaways, statuses, failed = 0, collections.Counter(), collections.Counter(), []
first, count = int(first), int(count)
# Several connections at once, so that one's waiting is not everybody's.
with concurrent.futures.ThreadPoolExecutor(8) as crowd:
    for start in range(first, first + count, batch):
        seeds = range(start, min(start + batch, first + count))
        for seed, result in zip(seeds, crowd.map(outcome, seeds)):
            if isinstance(result, str):
                failed.append(seed)
                print(f"seed {seed}: {result}", flush=True)
                continue
            results += 1
            statuses.update(result.statuses.values())
            goaways[result.goaway] += 1
        for kind in (H1, H2):
            try:
                status = once(kind, door, path)
            except Exception as error:
                status = repr(error)
            if status != 200:
                failed.append(seeds[0])
                print(f"seeds {seeds[0]} to {seeds[-1]}: behind them {kind.name} gets {status}", flush=True)
        if len(failed) > 10:
            break
say(
    connections=results, goaways={str(code): many for code, many in sorted(goaways.items(), key=str)},
    statuses={str(code): many for code, many in sorted(statuses.items())}, failed=failed[:20], seconds=round(time.monotonic() - begun, 1))
sys.exit(1 if failed else 0)
