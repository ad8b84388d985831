"""Opens connections, one after the other, each for one request: `python3 -m bench.handshakes PORT SECONDS FOLDER CERTIFICATE RESUMED`.

Prints how many there were, and how many resumed a session."""

import json
import pathlib
import socket
import sys
import time

from . import contenders, loads


def main(port, seconds, folder, certificate, resumed):
    context = loads.client_context(pathlib.Path(folder), certificate)
    message = loads.request(contenders.SMALL_PATH)
    session = None
    counts = {"connections": 0, "resumed": 0}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        plain = socket.create_connection(("127.0.0.1", port), 20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_hostname="localhost", session=session if resumed else None) as stream:
            stream.sendall(message)
            received = b""
            while b"}}" not in received:
                part = stream.recv(65536)
                if not part:
                    raise SystemExit("the connection ended without an answer")
                received += part
            if b" 200 " not in received[:20]:
                raise SystemExit(f"answered {received[:80]!r}")
            counts["connections"] += 1
            counts["resumed"] += int(stream.session_reused)
            # With TLS 1.3 the ticket comes behind the handshake, and is there once something was read.
            session = stream.session
    print(json.dumps(counts))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments[0]), float(arguments[1]), arguments[2], arguments[3] == "1", arguments[4] == "1")
