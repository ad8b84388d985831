"""A TLS server for uploads and downloads of any size: it keeps nothing of them, and says what it saw.

Usage: sink_server.py CERTIFICATE KEY

Prints "listening PORT". A request with a body is answered with its length and SHA-256 as JSON, GET /…/bytes/N with N bytes, an upgrade
with a tunnel that echoes, anything else with "ok".
"""

import hashlib
import http.server
import json
import ssl
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    part = bytes(range(256)) * 256

    def body(self):
        """The parts of the request's body."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                while size:
                    part = self.rfile.read1(min(size, 1 << 18))
                    size -= len(part)
                    yield part
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            part = self.rfile.read1(min(left, 1 << 18))
            if not part:
                raise ConnectionError("the body broke off")
            left -= len(part)
            yield part

    def echo(self):
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while data := self.rfile.read1(1 << 16):
            self.wfile.write(data)
        self.close_connection = True

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.echo()
            return
        number = self.path.rpartition("/bytes/")[2]
        count = int(number) if "/bytes/" in self.path else 2
        self.send_response(200)
        self.send_header("Content-Length", str(count))
        self.end_headers()
        if count == 2:
            self.wfile.write(b"ok")
            return
        while count:
            part = self.part[:count]
            self.wfile.write(part)
            count -= len(part)

    def do_PUT(self):
        seen, count = hashlib.sha256(), 0
        for part in self.body():
            seen.update(part)
            count += len(part)
        answer = json.dumps({"bytes": count, "sha256": seen.hexdigest()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PUT

    def log_message(self, *arguments):
        pass

    def handle(self):
        # A client that is gone is what the tests are about.
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = Server(("127.0.0.1", 0), Handler)
# The handshake is made by the connection's own thread.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(f"listening {server.server_address[1]}", flush=True)
server.serve_forever()
