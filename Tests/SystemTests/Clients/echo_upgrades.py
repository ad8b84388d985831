"""A TLS server that changes to another protocol whenever it is asked to, and then sends back what it gets.

Usage: echo_upgrades.py CERTIFICATE KEY

Prints "listening PORT". Serves until it is killed.
"""

import asyncio
import ssl
import sys

certificate, key = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)


async def serve(reader, writer):
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n")
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        pass


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
