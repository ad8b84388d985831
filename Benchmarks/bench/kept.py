"""Requests on kept HTTP/1.1 connections that may present a client certificate, which neither wrk nor h2load can:
`python3 -m bench.kept PORT SECONDS FOLDER CONNECTIONS CERTIFICATE AUTHORIZATION`, the last empty for none.

Asks on every connection, then reads every answer, and prints how many there were."""

import json
import pathlib
import socket
import sys
import time

from . import contenders, loads


def main(port, seconds, folder, connections, certificate, authorization):
    context = loads.client_context(pathlib.Path(folder), certificate)
    header = f"Authorization: {authorization}\r\n" if authorization else ""
    message = f"GET {contenders.SMALL_PATH} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n".encode()
    streams = []
    for _ in range(connections):
        plain = socket.create_connection(("127.0.0.1", port), 20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        streams.append(context.wrap_socket(plain, server_hostname="localhost"))
    requests, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        for stream in streams:
            stream.sendall(message)
        for stream in streams:
            received = b""
            while b"}}" not in received:
                part = stream.recv(65536)
                if not part:
                    raise SystemExit("a connection ended without an answer")
                received += part
            if b" 200 " not in received[:20]:
                raise SystemExit(f"answered {received[:80]!r}")
        requests += len(streams)
    print(json.dumps({"requests": requests, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments[0]), float(arguments[1]), arguments[2], int(arguments[3]), arguments[4] == "1", arguments[5])
