"""Clients that do all as they should, over HTTP/1.1 and over HTTP/2 as the library `h2` speaks it."""

import http.client

import h2.config
import h2.connection
import h2.events


class H1:
    name = "h1"

    def __init__(self, door):
        self.connection = http.client.HTTPSConnection("localhost", door.port, context=door.context("http/1.1", True), timeout=60)

    def ask(self, path):
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def close(self):
        self.connection.close()


class H2:
    name = "h2"

    def __init__(self, door):
        self.socket = door.connect("h2")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        self.socket.sendall(self.h2.data_to_send())

    def ask(self, path):
        stream = self.h2.get_next_available_stream_id()
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
        self.h2.send_headers(stream, fields, end_stream=True)
        self.socket.sendall(self.h2.data_to_send())
        status = 0
        while True:
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the connection ended")
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[b":status"])
                elif isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                    raise ConnectionError(repr(event))
                elif isinstance(event, h2.events.StreamEnded) and event.stream_id == stream:
                    self.socket.sendall(self.h2.data_to_send())
                    return status
            self.socket.sendall(self.h2.data_to_send())

    def close(self):
        self.socket.close()


def once(kind, door, path):
    """The status of an answer on a connection of its own."""
    connection = kind(door)
    try:
        return connection.ask(path)
    finally:
        connection.close()
