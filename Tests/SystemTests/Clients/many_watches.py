"""Opens many watches at once and tells what each saw.

Usage: many_watches.py PORT SERVER_CA CERTIFICATE KEY COUNT PATH MARK

Prints "watching N" when N answers have begun, then, when every watch has seen an event with MARK, one line of JSON: how many
saw it and how often, and the seconds from the first to the last. Ends when it is told by SIGTERM, with all watches open until then.
"""

import asyncio
import json
import resource
import signal
import ssl
import sys
import time

port, authority, certificate, key, count, path, mark = sys.argv[1:]
count = int(count)
# A parent may have left it blocked.
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 200)), hard))

context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(certificate, key)
seen = [0] * count
times = []
begun = 0
failures = []
everybody_saw = asyncio.Event()


async def watch(number, turns):
    global begun
    async with turns:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port), ssl=context, server_hostname="localhost")
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: application/json\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(head.decode())
    begun += 1
    if begun == count:
        print(f"watching {begun}", flush=True)
    rest = b""
    while True:
        part = await reader.read(16384)
        if not part:
            raise RuntimeError("the watch ended")
        # The mark may lie across two reads.
        text = rest + part
        found = text.count(mark.encode())
        rest = text[-(len(mark) - 1):]
        if found:
            if not seen[number]:
                times.append(time.monotonic())
            seen[number] += found
            if len(times) == count:
                everybody_saw.set()


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # So many handshakes at once, no more: the client is not what is tested.
    turns = asyncio.Semaphore(64)
    tasks = [asyncio.create_task(watch(number, turns)) for number in range(count)]
    watching = asyncio.gather(*tasks)
    stopping = asyncio.create_task(stop.wait())
    seeing = asyncio.create_task(everybody_saw.wait())
    await asyncio.wait([watching, stopping, seeing], return_when=asyncio.FIRST_COMPLETED)
    if watching.done():
        await watching
    # One more turn for an event that would come twice.
    await asyncio.sleep(0.3)
    print(json.dumps({"saw": sum(1 for n in seen if n), "events": sum(seen), "spread": times[-1] - times[0] if times else 0}), flush=True)
    await stop.wait()
    for task in tasks:
        task.cancel()


asyncio.run(main())
