"""Records of requests and responses, as seen on the connection. All logs and metrics are made from them."""

import time
from typing import NamedTuple, Protocol

from keyfront.edge.exchange import Outcome
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import Headers
from keyfront.web.types import Message, Receive, Send

_STATUS_LINE = len(b"HTTP/1.1 200 OK\r\n\r\n")


class Record(NamedTuple):
    """One request, after its response has ended."""

    viewer: Request
    outcome: Outcome
    location: str
    """The edge location's name."""
    status: int
    headers: Headers
    body_sent: int
    """Bytes of the response's body that were sent."""
    body_received: int
    """Bytes of the request's body that were received."""
    ended: float
    """Seconds since the epoch."""
    taken: float
    """Seconds from the request to the last byte of the response; `first_byte` is to the first byte."""
    first_byte: float
    complete: bool
    """Whether the response was sent to its end. A viewer may leave, an origin may break off."""

    @property
    def sent(self) -> int:
        """Bytes sent to the viewer, with headers as HTTP/1.1 writes them."""
        return self.body_sent + (_STATUS_LINE + _size(self.headers) if self.headers else 0)

    @property
    def received(self) -> int:
        """Bytes of the viewer's request, counted in the same way."""
        viewer = self.viewer
        line = len(viewer.method) + len(viewer.path) + (len(viewer.query) + 1 if viewer.query else 0) + 14
        return line + viewer.header_bytes + self.body_received


class Observer(Protocol):
    """Gets a record of every request. It is called in the event loop, so it must be fast."""

    def observe(self, record: Record) -> None: ...

    def close(self) -> None:
        """Write everything that waits to be written."""


class Witness:
    """Counts the bytes between the edge and one viewer."""

    __slots__ = (
        *("_body_received", "_body_sent", "_complete", "_first", "_headers", "_send", "_started", "_status"),
        *("outcome", "viewer"),
    )

    def __init__(self, viewer: Request, send: Send) -> None:
        self.viewer = viewer
        self.outcome: Outcome | None = None
        """What the edge's phases report; `None` until then."""
        self._send = send
        self._started = time.monotonic()
        self._first = 0.0
        self._status = 0
        self._headers: Headers = []
        self._body_sent = 0
        self._body_received = 0
        self._complete = False

    async def send(self, message: Message) -> None:
        """Pass on a message of the edge, and count it."""
        await self._send(message)
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], message["headers"]
            return
        if not self._first:
            self._first = time.monotonic()
        self._body_sent += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)

    def receiving(self, receive: Receive) -> Receive:
        """Return a `receive` that counts the request's body."""

        async def counted() -> Message:
            message = await receive()
            self._body_received += len(message.get("body", b""))
            return message

        return counted if self.viewer.has_body else receive

    def record(self, outcome: Outcome, location: str) -> Record:
        """Return the record. Call it after the response has ended."""
        now, began = time.monotonic(), self._started
        return Record(
            self.viewer,
            outcome,
            location,
            self._status or outcome.status,
            self._headers,
            self._body_sent,
            self._body_received,
            ended=time.time(),
            taken=now - began,
            first_byte=(self._first or now) - began,
            complete=self._complete,
        )


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)
