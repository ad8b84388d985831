"""Asks with sessions' cookies at a steady rate, over kept connections, until a file appears.

Usage: session_load.py PORT SERVER_CA RATE CONNECTIONS PATH STOP KIND=COOKIE...

The connections take turns with the kinds of cookies; all of them together ask RATE times a second. For each question prints when it
was asked (seconds of the Unix epoch), the kind, the status of the answer (0 where there was none) and how long it took. A connection
that breaks is opened again. Ends when there is a file STOP.
"""

import http.client
import os
import ssl
import sys
import threading
import time

port, authority, rate, connections, path, stop, *kinds = sys.argv[1:]
cookies = [kind.split("=", 1) for kind in kinds]
context = ssl.create_default_context(cafile=authority)
pause = int(connections) / float(rate)
over = threading.Event()


def load(number):
    connection, turn, due = None, number, time.monotonic() + number / float(rate)
    while not over.wait(max(0, due - time.monotonic())):
        # One that falls behind does not catch up: a burst is no steady rate.
        due = max(due + pause, time.monotonic())
        kind, cookie = cookies[turn % len(cookies)]
        turn += 1
        began, start, status = time.time(), time.monotonic(), 0
        try:
            if connection is None:
                connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context, timeout=60)
            connection.request("GET", path, headers={"Cookie": f"__Host-sallyport-session={cookie}"})
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            if connection is not None:
                connection.close()
            connection = None
        os.write(1, f"{began:.3f} {kind} {status} {time.monotonic() - start:.3f}\n".encode())


threads = [threading.Thread(target=load, args=(number,)) for number in range(int(connections))]
for thread in threads:
    thread.start()
while not os.path.exists(stop):
    time.sleep(0.05)
over.set()
for thread in threads:
    thread.join()
