"""Signs in at a gateway without end, by user names and passwords, and notes each answer.

Usage: password_load.py PORT SERVER_CA SECONDS

Four connections together send 200 requests a second as alice, who is known after the first. Another one signs in as one new user after
the other (u0, u1, …), and another guesses at bob's password. For each answer prints who asked, the status, and the milliseconds since
the start. A connection that breaks is opened again.
"""

import base64
import http.client
import os
import ssl
import sys
import threading
import time

port, authority, seconds = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
start = time.monotonic()
suffix = "-password-9"


def ask(who, pause, credentials):
    connection = None
    for number, (name, password) in enumerate(credentials):
        due = start + number * pause
        if time.monotonic() > start + float(seconds):
            return
        if due > time.monotonic():
            time.sleep(due - time.monotonic())
        try:
            if connection is None:
                connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context, timeout=30)
            token = base64.b64encode(f"{name}:{password}".encode()).decode()
            connection.request("GET", "/api/v1/namespaces/dev/configmaps/web", headers={"Authorization": f"Basic {token}"})
            answer = connection.getresponse()
            answer.read()
            os.write(1, f"{who} {answer.status} {int((time.monotonic() - start) * 1000)}\n".encode())
        except (OSError, http.client.HTTPException) as error:
            os.write(1, f"{who} broken:{type(error).__name__} {int((time.monotonic() - start) * 1000)}\n".encode())
            connection = None


def forever(name, password):
    while True:
        yield name, password


def new_users():
    number = 0
    while True:
        yield f"u{number}", f"u{number}{suffix}"
        number += 1


def guesses():
    number = 0
    while True:
        yield "bob", f"guess-{number}"
        number += 1


jobs = [("known", 0.02, forever("alice", "alice" + suffix)) for _ in range(4)]
jobs += [("new", 0.1, new_users()), ("guess", 0.1, guesses())]
threads = [threading.Thread(target=ask, args=job, daemon=True) for job in jobs]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
