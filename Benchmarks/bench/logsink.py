"""Writes what HAProxy logs to a file, as a syslog daemon would."""

import socket
import threading


class LogSink:
    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "haproxy.log.sock"))
        self.file = open(folder / "haproxy.access.log", "wb")
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            self.file.write(self.socket.recv(65536))
