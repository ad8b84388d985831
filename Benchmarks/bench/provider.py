"""An identity provider for a run: discovery, keys and introspection over TLS. It is asked a few times a run, and measured never.

Usage: python3 -m bench.provider PORT FOLDER
"""

import http.server
import json
import pathlib
import ssl
import sys
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    issuer = ""
    keys = b""
    opaque = {}

    def send(self, body, kind="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/keys":
            self.send(self.keys)
        else:
            self.send(json.dumps({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}).encode())

    def do_POST(self):
        """Introspection (RFC 7662); whoever wants the signed token behind the opaque one gets that."""
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        known = self.opaque.get(form["token"][0])
        if known and self.headers["Accept"] == "application/jwt":
            self.send(known["jwt"].encode(), "application/jwt")
        else:
            self.send(json.dumps(
                {"active": True, "username": known["username"], "groups": ["view"], "exp": int(time.time()) + 7200} if known
                else {"active": False}).encode())

    def log_message(self, *_):
        pass


def main(port, folder):
    folder = pathlib.Path(folder)
    Handler.issuer = f"https://localhost:{port}"
    Handler.keys = (folder / "keys.json").read_bytes()
    Handler.opaque = json.loads((folder / "opaque.json").read_text())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
