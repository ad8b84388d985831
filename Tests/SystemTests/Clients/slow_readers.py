"""Many requests for a long answer whose clients take next to nothing of it.

Usage: slow_readers.py PORT SERVER_CA CERTIFICATE KEY KIND CONNECTIONS STREAMS PATH

KIND is h1 (a small socket buffer, a read now and then), h2-shut (no window is ever opened again) or h2-drip (a window of 1 KB now and then
for one stream of each connection). Prints "waiting" when every answer has begun, and at SIGTERM one line of JSON: answers and bytes of them.
"""

import signal
import sys
import threading
import time

from h2_frames import *

port, authority, certificate, key, kind, connections, streams, path = sys.argv[1:]
door = Door(port, authority, certificate, key)
connections, streams = int(connections), int(streams)
raise_file_limit(2000)
clients, answers, taken = [], 0, 0
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

for _ in range(connections):
    if kind == "h1":
        sock = door.connect("http/1.1", receive_buffer=4096)
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(1024)
        answers += data.startswith(b"HTTP/1.1 200 ")
        clients.append(sock)
        continue
    client = Client(door)
    requests = [request(2 * number + 1, path) for number in range(streams)]
    client.send(PREFACE + settings(*[(4, 0)] if kind == "h2-shut" else []) + b"".join(requests))
    client.take(60, until=lambda parser: len(parser.statuses) == streams)
    answers += sum(status == 200 for status in client.parser.statuses.values())
    clients.append(client)
print("waiting", flush=True)


def drip():
    global taken
    while True:
        time.sleep(0.2)
        for client in clients:
            if kind == "h1":
                taken += len(client.recv(200))
            elif kind == "h2-drip":
                client.send(window_update(1, 1024) + window_update(0, 1024))
                client.take()


threading.Thread(target=drip, daemon=True).start()
signal.sigwait({signal.SIGTERM})
if kind != "h1":
    taken = sum(len(at.payload) for client in clients for at in client.parser.frames if at.type == DATA)
say(answers=answers, bytes=taken)
