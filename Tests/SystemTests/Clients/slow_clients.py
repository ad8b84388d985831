"""Many clients that take their time to send, each on a connection of its own, until the gateway has ended them all.

Usage: slow_clients.py PORT SERVER_CA CERTIFICATE KEY KIND COUNT PATH

KIND is a name in `kinds`. Prints "waiting COUNT" when all are where they want to be, and when the last is ended, or after 120 seconds, one
line of JSON: how many the gateway ended, and the seconds in which it ended the first and the last, counted from each one's beginning.
"""

import asyncio
import sys
import time

from h2_frames import *

port, authority, certificate, key, kind, count, path = sys.argv[1:]
door = Door(port, authority, certificate, key)
count = int(count)
raise_file_limit(count + 200)

# What is sent at once, then what is sent in drops, a byte at a time; nothing, and the client is silent.
hello = bytes.fromhex("16030100c8010000c40303")
head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".encode()
upload = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nbeginning".encode()
pseudo = section([(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", path)])
opening = PREFACE + settings()
kinds = {
    "no-handshake": (None, b"", b""),
    "half-a-handshake": (None, hello[:3], b""),
    "handshake-in-drops": (None, hello, bytes(180)),
    "no-request": ("http/1.1", b"", b""),
    "head-in-drops": ("http/1.1", head, b"x" * 10_000),
    "body-that-stops": ("http/1.1", upload, b""),
    "no-preface": ("h2", b"", b""),
    "preface-in-drops": ("h2", b"", opening),
    "no-stream": ("h2", opening, b""),
    "pings-and-no-stream": ("h2", opening, frame(PING, payload=bytes(8)) * 100),
    # A field section of 5,000 bytes of which a byte comes now and then.
    "section-in-drops": ("h2", opening + frame(HEADERS, 0, 1, pseudo), frame(CONTINUATION, END_HEADERS, 1, b"\x00\x01a\x7f\x80\x28" + b"x" * 5000)),
    "empty-continuations": ("h2", opening + frame(HEADERS, 0, 1, pseudo), frame(CONTINUATION, 0, 1) * 1000),
    "stream-that-stops": ("h2", opening + frame(HEADERS, END_HEADERS, 1, pseudo) + frame(DATA, 0, 1, b"beginning"), b""),
}
protocol, beginning, drops = kinds[kind]
waiting = 0
ended = []


async def client(turns):
    global waiting
    async with turns:
        context = door.context(protocol, True) if protocol else None
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port, ssl=context, server_hostname="localhost" if context else None)
        writer.write(beginning)
    waiting += 1
    if waiting == count:
        print(f"waiting {count}", flush=True)

    async def drip():
        for byte in drops:
            await asyncio.sleep(0.2)
            writer.write(bytes([byte]))

    dripping = asyncio.create_task(drip())
    data = b""
    try:
        while part := await reader.read(4096):
            data += part
            # A stream that is given up leaves its connection, as it should.
            if kind == "stream-that-stops" and any(at.type == RST_STREAM or at.type == GOAWAY for at in frames_of(data)):
                break
    except (OSError, ssl.SSLError):
        pass
    ended.append(time.monotonic() - begun)
    dripping.cancel()
    writer.transport.abort()


def frames_of(data):
    parser = Parser()
    parser.receive(data)
    return parser.frames


async def main():
    # So many handshakes at once, no more: the client is not what is tested.
    turns = asyncio.Semaphore(64)
    tasks = [asyncio.create_task(client(turns)) for _ in range(count)]
    _, pending = await asyncio.wait(tasks, timeout=120)
    for task in pending:
        task.cancel()
    failures = [repr(task.exception()) for task in tasks if task.done() and not task.cancelled() and task.exception()]
    say(ended=len(ended), first=round(min(ended, default=0), 1), last=round(max(ended, default=0), 1), failures=failures[:5])


asyncio.run(main())
