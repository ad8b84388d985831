"""Opens many connections that rest, from several addresses of loopback, half of them HTTP/2.

Usage: idle_connections.py PORT SERVER_CA COUNT ADDRESSES

Each asks once, as nobody, and reads the answer, so that it is a connection at rest and not one that has yet to ask. Prints "resting COUNT",
and ends at SIGTERM with one line of JSON: how many were still open then.
"""

import asyncio
import signal
import sys

from h2_frames import *

port, authority, count, addresses = sys.argv[1:]
door = Door(port, authority)
count, addresses = int(count), int(addresses)
raise_file_limit(count + 200)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
resting = 0


async def connect(number, turns):
    global resting
    is_h2 = number % 2 == 0
    async with turns:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", door.port, ssl=door.context("h2" if is_h2 else "http/1.1", False), server_hostname="localhost",
            local_addr=(f"127.0.1.{number % addresses + 1}", 0))
        if is_h2:
            writer.write(PREFACE + settings() + frame(SETTINGS, ACK) + request(1, "/version"))
            parser = Parser()
            while not parser.statuses:
                parser.receive(await read(reader))
        else:
            writer.write(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
    resting += 1
    return reader, writer


async def read(reader):
    data = await reader.read(4096)
    if not data:
        raise ConnectionError("the gateway ended a connection that was to rest")
    return data


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    turns = asyncio.Semaphore(64)
    connections = await asyncio.gather(*[connect(number, turns) for number in range(count)])
    print(f"resting {resting}", flush=True)
    await stop.wait()
    say(open=sum(not reader.at_eof() for reader, _ in connections))
    for _, writer in connections:
        writer.transport.abort()


asyncio.run(main())
