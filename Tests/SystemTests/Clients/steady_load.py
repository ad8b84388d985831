"""Asks a gateway without end, over kept connections, and notes each answer that arrived whole.

Usage: steady_load.py PORT SERVER_CA CERTIFICATE KEY CONNECTIONS SECONDS VICTIM

Every ninth request creates a ConfigMap; the others read one. For each complete answer prints its status and its Audit-Id. Where a file
VICTIM appears, the next answer that is complete has the process whose id it holds killed, in that moment and before anything else:
whatever the gateway does only after it has answered is lost. A connection that breaks is opened again. Ends after SECONDS at the latest.
"""

import http.client
import os
import signal
import ssl
import sys
import threading
import time

port, authority, certificate, key, connections, seconds, victim = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(certificate, key)
end = time.monotonic() + float(seconds)
turn = threading.Lock()
base = "/api/v1/namespaces/dev/configmaps"


def kill_victim():
    with turn:
        if os.path.exists(victim):
            with open(victim) as file:
                os.kill(int(file.read()), signal.SIGKILL)
            os.remove(victim)


def load(number):
    connection, asked = None, 0
    while time.monotonic() < end:
        try:
            if connection is None:
                connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context, timeout=20)
            asked += 1
            if asked % 9 == 0:
                body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"load-"}}'
                connection.request("POST", base, body=body, headers={"Content-Type": "application/json"})
            else:
                connection.request("GET", f"{base}/web?connection={number}&request={asked}")
            answer = connection.getresponse()
            # Complete or an exception: what broke off is not an answer.
            answer.read()
            kill_victim()
            os.write(1, f"{answer.status} {answer.headers['Audit-Id']}\n".encode())
        except (OSError, http.client.HTTPException):
            if connection is not None:
                connection.close()
            connection = None
            time.sleep(0.01)


threads = [threading.Thread(target=load, args=(number,), daemon=True) for number in range(int(connections))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
