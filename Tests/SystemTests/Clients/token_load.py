"""Presents Bearer tokens to a gateway without end, and notes each answer.

Usage: token_load.py PORT SERVER_CA SECONDS FOLDER

Four connections together send 200 requests a second with two tokens that are known after the first request: the signed one in the
file `known`, and an opaque one. Others present one new token after the other: signed ones from the lines of the files `new`, `rotated`
and `forged`, opaque ones that the provider knows (new-0, new-1, …) and does not know (guess-0, …). For each answer prints who asked, the
status, and the milliseconds since the start. A connection that breaks is opened again.
"""

import http.client
import itertools
import os
import ssl
import sys
import threading
import time

port, authority, seconds, folder = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
start = time.monotonic()


def ask(who, pause, tokens):
    connection = None
    for number, token in enumerate(tokens):
        due = start + number * pause
        if time.monotonic() > start + float(seconds):
            return
        if due > time.monotonic():
            time.sleep(due - time.monotonic())
        try:
            if connection is None:
                connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context, timeout=30)
            connection.request("GET", "/api/v1/namespaces/dev/configmaps/web", headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            os.write(1, f"{who} {answer.status} {int((time.monotonic() - start) * 1000)}\n".encode())
        except (OSError, http.client.HTTPException) as error:
            os.write(1, f"{who} broken:{type(error).__name__} {int((time.monotonic() - start) * 1000)}\n".encode())
            connection = None


def lines(name):
    with open(os.path.join(folder, name), encoding="ascii") as file:
        return file.read().split()


def numbered(name):
    return (f"{name}-{number}" for number in itertools.count())


jobs = [("known", 0.02, itertools.repeat(lines("known")[0])) for _ in range(2)]
jobs += [("known-opaque", 0.02, itertools.repeat("known-opaque")) for _ in range(2)]
jobs += [(name, 0.1, lines(name)) for name in ("new", "rotated", "forged")]
jobs += [("new-opaque", 0.1, numbered("new")), ("guess", 0.1, numbered("guess"))]
threads = [threading.Thread(target=ask, args=job, daemon=True) for job in jobs]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
