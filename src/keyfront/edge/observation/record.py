"""Records of requests and responses, as seen on the connection. All logs and metrics are made from them."""

import time
from dataclasses import dataclass
from typing import Protocol

from keyfront.edge.exchange import Outcome
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import Headers
from keyfront.web.types import Message, Send

_STATUS_LINE = len(b"HTTP/1.1 200 OK\r\n\r\n")


@dataclass(frozen=True, slots=True)
class Record:
    """One request, after its response has ended."""

    viewer: Request
    outcome: Outcome
    location: str
    """The edge location's name."""
    port: int
    """The viewer's port."""
    status: int
    headers: Headers
    sent: int
    """Bytes sent to the viewer, with headers as HTTP/1.1 writes them."""
    received: int
    """Bytes of the viewer's request, counted in the same way."""
    ended: float
    """Seconds since the epoch."""
    taken: float
    """Seconds from the request to the last byte of the response; `first_byte` is to the first byte."""
    first_byte: float
    complete: bool
    """Whether the response was sent to its end. A viewer may leave, an origin may break off."""


class Observer(Protocol):
    """Gets a record of every request. It is called in the event loop, so it must be fast."""

    def observe(self, record: Record) -> None: ...

    def close(self) -> None:
        """Write everything that waits to be written."""


class Witness:
    """Counts the bytes between the edge and one viewer."""

    __slots__ = ("_body_received", "_complete", "_first", "_headers", "_send", "_sent", "_started", "_status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._started = time.monotonic()
        self._first: float | None = None
        self._status = 0
        self._headers: Headers = []
        self._sent = 0
        self._body_received = 0
        self._complete = False

    async def send(self, message: Message) -> None:
        """Pass on a message of the edge, and count it."""
        await self._send(message)
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], message["headers"]
            self._sent = _STATUS_LINE + _size(self._headers)
            return
        if self._first is None:
            self._first = time.monotonic()
        self._sent += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)

    def received(self, message: Message) -> None:
        """Count a part of the request's body."""
        self._body_received += len(message.get("body", b""))

    def record(self, viewer: Request, outcome: Outcome, *, location: str, port: int) -> Record:
        """Return the record. Call it after the response has ended."""
        now = time.monotonic()
        line = len(viewer.method) + len(viewer.path) + (len(viewer.query) + 1 if viewer.query else 0) + 14
        return Record(
            viewer=viewer,
            outcome=outcome,
            location=location,
            port=port,
            status=self._status or outcome.status,
            headers=self._headers,
            sent=self._sent,
            received=line + viewer.header_bytes + self._body_received,
            ended=time.time(),
            taken=now - self._started,
            first_byte=(self._first if self._first is not None else now) - self._started,
            complete=self._complete,
        )


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)
