"""Asks a gateway at a steady rate, with watches and tunnels open beside it, and counts whatever does not go well.

Usage: load_through_change.py PORT SERVER_CA CERTIFICATE KEY RATE CONNECTIONS WATCHES TUNNELS ENDING

Requests go over kept connections; a new one is made where an answer says `Connection: close`, where an idle one was closed
before anything was sent on it, and now and then. A failure is a request that was sent and not answered whole with 200, a watch or a tunnel
that ends, a tunnel that does not echo. A file ENDING says that the gateway was told to end: from there on watches and tunnels may end,
and a connection that is refused ends its worker. Prints "loading N" every second, and at the end one line of JSON.
"""

import asyncio
import json
import os
import ssl
import sys
import time

port, authority, certificate, key, rate, connections, watches, tunnels, ending = sys.argv[1:]
connections, watches, tunnels = int(connections), int(watches), int(tunnels)
pause = connections / float(rate)
context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(certificate, key)
answers, reconnects, unconnected, echoes, events = 0, 0, 0, 0, 0
failures = []


def ends():
    return os.path.exists(ending)


async def connect():
    """A connection, its handshake done; None where the gateway takes none any more."""
    global unconnected
    for attempt in range(50):
        try:
            return await asyncio.open_connection("127.0.0.1", int(port), ssl=context, server_hostname="localhost")
        except (OSError, asyncio.IncompleteReadError) as error:
            if ends():
                return None
            unconnected += 1
            if attempt == 49:
                failures.append(f"no connection: {error!r}")
            await asyncio.sleep(0.02)
    return None


async def ask(reader, writer, number):
    """Sends one request; whether the connection can carry another."""
    global answers
    writer.write(f"GET /api/v1/namespaces/dev/configmaps/web?n={number} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")), None)
    if length is None:
        raise RuntimeError(f"an answer without length: {head}")
    await reader.readexactly(length)
    if not head.startswith("http/1.1 200 "):
        failures.append(head.split("\r\n")[0])
    answers += 1
    return "connection: close" not in head


async def load(number):
    global reconnects
    asked, next_time = 0, time.monotonic()
    while True:
        connection = await connect()
        if connection is None:
            return
        reader, writer = connection
        try:
            for _ in range(200):
                next_time = max(next_time + pause, time.monotonic() - 0.2)
                await asyncio.sleep(max(0, next_time - time.monotonic()))
                if reader.at_eof():
                    break
                asked += 1
                if not await ask(reader, writer, f"{number}-{asked}"):
                    break
        except (OSError, asyncio.IncompleteReadError, RuntimeError) as error:
            failures.append(f"request {asked} of worker {number}: {error!r}")
        writer.close()
        reconnects += 1


async def watch(number):
    global events
    reader, writer = await connect()
    writer.write(f"GET /api/v1/namespaces/dev/pods?watch=1 HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head.decode())
        while await reader.read(65536):
            events += 1
        raise RuntimeError("it ended")
    except (OSError, asyncio.IncompleteReadError, RuntimeError) as error:
        if not ends():
            failures.append(f"watch {number}: {error!r}")


async def tunnel(number):
    global echoes
    reader, writer = await connect()
    writer.write(f"POST /echo/{number} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n".encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise RuntimeError(head.decode())
        count = 0
        while True:
            count += 1
            message = f"{number} {count}".ljust(200).encode()
            writer.write(message)
            if await asyncio.wait_for(reader.readexactly(len(message)), 30) != message:
                raise RuntimeError("another echo")
            echoes += 1
            await asyncio.sleep(0.05)
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, RuntimeError) as error:
        if not ends():
            failures.append(f"tunnel {number}: {error!r}")


async def tell():
    while True:
        print("loading", answers, flush=True)
        await asyncio.sleep(1)


async def main():
    telling = asyncio.create_task(tell())
    began = time.monotonic()
    await asyncio.gather(
        *(load(n) for n in range(connections)), *(watch(n) for n in range(watches)), *(tunnel(n) for n in range(tunnels)))
    telling.cancel()
    print(json.dumps({
        "answers": answers, "failures": failures, "reconnects": reconnects, "unconnected": unconnected, "echoes": echoes,
        "events": events, "seconds": time.monotonic() - began}), flush=True)


asyncio.run(main())
