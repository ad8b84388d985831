"""HTTP/2 as bytes, with nothing checked, and the connections to send it on. What the hostile clients have in common."""

import collections
import contextlib
import json
import select
import signal
import socket
import ssl
import struct
import sys
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
WITH_PRIORITY = 0x20

Frame = collections.namedtuple("Frame", "type flags stream payload")


def frame(type, flags=0, stream=0, payload=b"", length=None):
    """A frame as it stands on the wire; `length` may lie."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length & 0xFFFFFF)[1:] + struct.pack(">BBI", type, flags, stream & 0xFFFFFFFF) + payload


def section(fields):
    """A field section that touches no dynamic table, so that it can be sent again, out of order, or on another connection."""
    result = b""
    for name, value in fields:
        name, value = name.encode("latin-1"), value.encode("latin-1")
        result += b"\x00" + integer(7, len(name)) + name + integer(7, len(value)) + value
    return result


def integer(prefix, value, first=0):
    """An integer of HPACK (RFC 7541 section 5.1)."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    result, value = [first | most], value - most
    while value >= 128:
        result.append(value & 127 | 128)
        value >>= 7
    return bytes(result + [value])


def request(stream, path, method="GET", ends=True, fields=(), authority="localhost"):
    pseudo = [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path)]
    return frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, section(pseudo + list(fields)))


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", name, value) for name, value in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


class Violation(Exception):
    """The server sent what no server may send."""


class Parser:
    """Takes the server's frames apart, and holds them against the protocol."""

    known = {SETTINGS: None, PING: 8, RST_STREAM: 4, WINDOW_UPDATE: 4}

    def __init__(self):
        self.rest = b""
        self.frames = []
        self.goaway = None
        self.last_pong = None
        self.statuses = {}
        self.decoder = hpack.Decoder()
        # A client that allowed the server any table has no right to wonder at its size.
        self.decoder.max_allowed_table_size = 1 << 32
        self.section = None

    def receive(self, data):
        self.rest += data
        while len(self.rest) >= 9:
            length = int.from_bytes(self.rest[:3], "big")
            if length > 16384:
                raise Violation(f"a frame of {length} bytes")
            if len(self.rest) < 9 + length:
                return
            type, flags, stream = struct.unpack(">BBI", self.rest[3:9])
            self.take(Frame(type, flags, stream, self.rest[9:9 + length]))
            self.rest = self.rest[9 + length:]

    def take(self, frame):
        if frame.type > CONTINUATION or frame.type in (PUSH_PROMISE, PRIORITY):
            raise Violation(f"a frame of type {frame.type}")
        size = self.known.get(frame.type)
        if size is not None and len(frame.payload) != size:
            raise Violation(f"{len(frame.payload)} bytes in a frame of type {frame.type}")
        if self.section is not None and frame.type != CONTINUATION:
            raise Violation("a field section was interrupted")
        if not self.frames and frame.type != SETTINGS:
            raise Violation(f"the first frame is of type {frame.type}")
        if frame.type in (HEADERS, DATA, CONTINUATION) and frame.stream % 2 == 0:
            raise Violation(f"a frame of type {frame.type} on stream {frame.stream}")
        self.frames.append(frame)
        if frame.type == GOAWAY:
            self.goaway = int.from_bytes(frame.payload[4:8], "big")
        if frame.type == PING and frame.flags & ACK:
            self.last_pong = int.from_bytes(frame.payload, "big")
        if frame.type in (HEADERS, CONTINUATION):
            self.section = (self.section or b"") + frame.payload
            if frame.flags & END_HEADERS:
                encoded, self.section = self.section, None
                try:
                    fields = self.decoder.decode(encoded, raw=True)
                except hpack.HPACKError as error:
                    raise Violation(f"a field section that cannot be read: {error}") from error
                for name, value in fields:
                    if name == b":status":
                        self.statuses.setdefault(frame.stream, int(value))


class Door:
    """Where the gateway listens, and as whom a client comes."""

    def __init__(self, port, authority, certificate=None, key=None):
        self.port = int(port)
        self.authority, self.certificate, self.key = authority, certificate, key
        self.contexts = {}

    def context(self, protocol, with_certificate):
        kept = self.contexts.get((protocol, with_certificate))
        if kept is None:
            kept = ssl.create_default_context(cafile=self.authority)
            kept.set_alpn_protocols([protocol])
            if with_certificate:
                kept.load_cert_chain(self.certificate, self.key)
            self.contexts[protocol, with_certificate] = kept
        return kept

    def connect(self, protocol="h2", with_certificate=True, timeout=60, receive_buffer=None):
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(timeout)
        plain.connect(("127.0.0.1", self.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context(protocol, with_certificate).wrap_socket(plain, server_hostname="localhost")


class Client:
    """One connection of HTTP/2 that sends what it is told to."""

    def __init__(self, door, with_certificate=True, receive_buffer=None):
        self.socket = door.connect("h2", with_certificate, receive_buffer=receive_buffer)
        self.parser = Parser()
        self.is_open = True

    def send(self, data):
        """Whether it could still be sent."""
        if self.is_open:
            try:
                self.socket.sendall(data)
            except OSError:
                # What the server said before it closed is still to be read.
                self.take(0.5)
                self.is_open = False
        return self.is_open

    def take(self, seconds=0.0, until=lambda parser: False):
        """Reads what is there, and what comes within the time, until a condition holds or the connection ends."""
        end = time.monotonic() + seconds
        while self.is_open and not until(self.parser):
            if not self.socket.pending() and not select.select([self.socket], [], [], max(0.0, end - time.monotonic()))[0]:
                return
            try:
                data = self.socket.recv(1 << 16)
            except (ssl.SSLEOFError, ConnectionError, ssl.SSLError):
                data = b""
            except socket.timeout:
                return
            if not data:
                self.is_open = False
            self.parser.receive(data)

    def close(self, abruptly=False):
        with contextlib.suppress(OSError):
            if abruptly:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()


def until_told():
    """Waits for SIGTERM, which a parent may have left blocked."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.sigwait({signal.SIGTERM})


def say(**facts):
    print(json.dumps(facts), flush=True)


def raise_file_limit(count):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        # Only root may; anybody else reads in the error what is missing.
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
    elif soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
