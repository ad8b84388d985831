"""Opens exec tunnels by WebSocket (v5.channel.k8s.io) over plain TLS connections, so that every byte is this program's own.

Usage: raw_tunnels.py MODE PORT CA CERTIFICATE KEY COUNT
  many:    COUNT tunnels at once to `cat`; each says something, hears it, ends its input and waits for the status
  hold:    COUNT tunnels at once, held until they are closed from the other side
  refused: an upgrade that the upstream refuses, with another request right behind it, and one more behind the answer
"""

import asyncio
import json
import os
import ssl
import struct
import sys

mode, port, ca, certificate, key, count = sys.argv[1], int(sys.argv[2]), *sys.argv[3:6], int(sys.argv[6])
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(certificate, key)
target = "/api/v1/namespaces/dev/pods/web-0/exec?command=cat&stdin=true&stdout=true"


def upgrade(target):
    return (
        f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
    ).encode()


def frame(opcode, content):
    """A client's frame: masked, final, short."""
    mask = os.urandom(4)
    return bytes([0x80 | opcode, 0x80 | len(content)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(content))


async def message(reader):
    """The next frame: its kind and content."""
    first, length = await reader.readexactly(2)
    if length == 126:
        (length,) = struct.unpack(">H", await reader.readexactly(2))
    return first & 0x0F, await reader.readexactly(length)


async def connect():
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")


async def tunnel():
    reader, writer = await connect()
    writer.write(upgrade(target))
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    assert b"\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n" in head, head
    assert await message(reader) == (2, b"\x01"), "the empty message that begins"
    return reader, writer


async def many():
    tunnels = await asyncio.gather(*(tunnel() for _ in range(count)))

    async def talk(number, reader, writer):
        text = f"tunnel {number}".encode()
        writer.write(frame(2, b"\x00" + text))
        assert await message(reader) == (2, b"\x01" + text)

    await asyncio.gather(*(talk(number, *one) for number, one in enumerate(tunnels)))
    print(f"open {count}", flush=True)
    await asyncio.sleep(1)
    successes = 0

    async def end(reader, writer):
        nonlocal successes
        writer.write(frame(2, b"\xff\x00"))
        opcode, content = await message(reader)
        assert opcode == 2 and content[0] == 3, content
        successes += json.loads(content[1:])["status"] == "Success"
        opcode, content = await message(reader)
        assert opcode == 8 and content[:2] == b"\x03\xe8", content
        writer.write(frame(8, b"\x03\xe8"))
        assert await reader.read() == b""
        writer.close()

    await asyncio.gather(*(end(*one) for one in tunnels))
    print(f"success {successes}", flush=True)


async def hold():
    tunnels = await asyncio.gather(*(tunnel() for _ in range(count)))
    print(f"open {count}", flush=True)

    async def wait(reader):
        try:
            await reader.read()
        except (ConnectionError, ssl.SSLError):
            pass

    await asyncio.gather(*(wait(reader) for reader, _ in tunnels))
    print(f"over {count}", flush=True)


async def refused():
    smuggled = b"GET /api/v1/namespaces/prod/secrets HTTP/1.1\r\nHost: localhost\r\nX-Remote-User: admin\r\nX-Remote-Group: system:masters\r\n\r\n"
    reader, writer = await connect()
    writer.write(upgrade(target + "&container=none") + smuggled)
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    try:
        writer.write(smuggled)
        await writer.drain()
        rest = await asyncio.wait_for(reader.read(), 10)
    except (ConnectionError, ssl.SSLError):
        rest = b""
    assert b"shop-login" not in rest or b'"items"' not in rest, rest
    assert rest.count(b"HTTP/1.1") == 0, rest


asyncio.run({"many": many, "hold": hold, "refused": refused}[mode]())
