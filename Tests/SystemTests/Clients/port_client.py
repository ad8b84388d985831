"""Talks to a TCP port on loopback behind a port-forward, and prints what passed as JSON.

Usage: port_client.py MODE PORT NUMBER
  half-close: sends NUMBER bytes, ends its side, and reads what comes until the other side ends
  many:       NUMBER connections at once, each as half-close with 50,000 bytes
  read:       sends nothing, reads until the end, then sends into the void
"""

import hashlib
import json
import os
import socket
import sys
import threading
import time

mode, port, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def exchange(count):
    """Sends count bytes and reads to the end; the two directions do not wait for one another."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=300)
    block = os.urandom(1 << 20)
    sent = hashlib.sha256()
    failures = []

    def send():
        try:
            left = count
            turn = 0
            while left:
                # Each block is another one: its start says which.
                piece = (turn.to_bytes(8, "big") + block)[: min(left, 1 << 20)]
                connection.sendall(piece)
                sent.update(piece)
                left -= len(piece)
                turn += 1
            connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            failures.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    received = hashlib.sha256()
    total = 0
    while piece := connection.recv(1 << 18):
        received.update(piece)
        total += len(piece)
    sender.join()
    connection.close()
    if failures:
        raise failures[0]
    return count, total, sent.hexdigest(), received.hexdigest()


began = time.monotonic()
text = ""
if mode == "half-close":
    result = exchange(number)
elif mode == "many":
    results = []

    def one():
        results.append(exchange(50_000))

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = (
        number * 50_000,
        sum(result[1] for result in results),
        ",".join(result[2] for result in results),
        ",".join(result[3] for result in results),
    )
elif mode == "read":
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    data = b""
    try:
        while piece := connection.recv(4096):
            data += piece
        connection.sendall(b"nobody hears this")
    except (ConnectionResetError, BrokenPipeError):
        pass
    connection.close()
    text = data.decode()
    result = (0, len(data), "", "")
else:
    sys.exit(f"no such mode: {mode}")

print(
    json.dumps(
        {
            "sent": result[0],
            "received": result[1],
            "sentHash": result[2],
            "receivedHash": result[3],
            "text": text,
            "seconds": time.monotonic() - began,
        }
    )
)
