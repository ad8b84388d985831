"""A thousand watches: an upstream that sends each of them an event now and then, and clients that read them.

`python3 -m bench.watches serve PORT INTERVAL` is the upstream, plain HTTP behind the benchmark's nginx;
`python3 -m bench.watches read PORT COUNT SECONDS FOLDER` opens the watches, says `ready`, and then counts events."""

import asyncio
import json
import pathlib
import sys
import time

from . import contenders, loads

EVENT = ('{"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"x","managedFields":"' + "z" * 900 + '"}}}\n').encode()
CHUNK = f"{len(EVENT):x}\r\n".encode() + EVENT + b"\r\n"


async def serve(port, interval):
    async def watch(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                writer.write(CHUNK)
                await writer.drain()
                await asyncio.sleep(interval)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(watch, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


async def read(port, count, seconds, folder):
    context = loads.client_context(pathlib.Path(folder))
    events = 0
    message = loads.request("/api/v1/pods?watch=1")

    async def watch(opened):
        nonlocal events
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:20]:
            raise SystemExit(f"answered {head[:80]!r}")
        opened.set_result(True)
        while True:
            events += (await reader.read(65536)).count(b'"type"')

    # Not all at once: what is measured are watches, not a storm of handshakes.
    tasks = []
    for _ in range(count):
        opened = asyncio.get_running_loop().create_future()
        tasks.append(asyncio.create_task(watch(opened)))
        done, _ = await asyncio.wait([opened, tasks[-1]], return_when=asyncio.FIRST_COMPLETED, timeout=30)
        if opened not in done:
            raise SystemExit("a watch was not opened")
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    before, began = events, time.monotonic()
    await asyncio.sleep(seconds)
    print(json.dumps({"events": events - before, "seconds": time.monotonic() - began}), flush=True)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(int(sys.argv[2]), float(sys.argv[3])))
    else:
        asyncio.run(read(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]))
