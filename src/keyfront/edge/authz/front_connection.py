"""A connection from a front door: HTTP/1.1, with llhttp's parser (httptools), in this process's event loop.

A decision never waits, so it needs no task, no thread and no queue between two event loops. granian, which serves
viewers, needs them: it takes four times as long for an empty response.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, cast

import httptools

from keyfront.edge.authz.fronts import FrontRequest, FrontResponse

_log = logging.getLogger(__name__)

Respond = Callable[[FrontRequest], FrontResponse]

_MOST_HEAD_BYTES: Final = 64 * 1024
_BAD: Final = FrontResponse(400, [], b"")
_LARGE: Final = FrontResponse(431, [], b"")
_FAILED: Final = FrontResponse(500, [(b"content-type", b"text/plain")], b"the access check failed\n")


class FrontConnection(asyncio.Protocol):
    """One connection, and what has arrived of its current request. A body is read and dropped."""

    def __init__(self, respond: Respond, opened: "set[FrontConnection]", most: int) -> None:
        """`opened` holds the open connections. `most` is how many there may be."""
        self._respond = respond
        self._opened = opened
        self._most = most
        self._ends = False
        self.since = 0.0
        """When the connection opened, or when its last response was sent (by the event loop's clock)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. If there are too many connections, the longest idle one makes room."""
        self._transport = cast(asyncio.Transport, transport)
        self._opened.add(self)
        self._parser = httptools.HttpRequestParser(self)
        self._loop = asyncio.get_running_loop()
        self._wait()
        if len(self._opened) > self._most:
            min(self._opened, key=lambda each: each.since).abort()

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the connection."""
        self._opened.discard(self)

    def pause_writing(self) -> None:
        """Read no more requests while the front door does not read responses."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read requests again."""
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete now."""
        self._arrived += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()
        except httptools.HttpParserError:
            self._refuse(_BAD)
        if self._has_begun and self._in_head and self._arrived > _MOST_HEAD_BYTES:
            self._refuse(_LARGE)

    def end(self, *, patiently: bool) -> None:
        """Close the connection once its responses are sent. `patiently`: also answer a request that is arriving."""
        self._ends = True
        if not (patiently and self._has_begun):
            self._transport.close()

    def abort(self) -> None:
        """Close the connection now."""
        self._transport.abort()

    # The parser calls these.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._has_begun = True
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._in_head = True

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """End the request's head."""
        self._in_head = False

    def on_message_complete(self) -> None:
        """Answer the request."""
        if self._transport.is_closing():  # requests after the last one
            return
        parser = self._parser
        asked_to_keep = parser.should_keep_alive() and not parser.should_upgrade()
        keeps = asked_to_keep and parser.get_http_version() == "1.1" and not self._ends
        path, _, query = self._target.partition(b"?")
        method = parser.get_method().decode("ascii")
        if not path.startswith(b"/") or b"#" in self._target:
            self._refuse(_BAD)
            return
        try:
            response = self._respond(FrontRequest(method, path, query, self._headers))
            written = _written(response, keeps, bodiless=method == "HEAD")
        except Exception:  # noqa: BLE001  the viewer is not let in, and the service goes on
            _log.exception("the access check failed: the viewer gets 500")
            written = _written(_FAILED, keeps, bodiless=method == "HEAD")
        self._transport.write(written)
        if not keeps:
            self._transport.close()
        self._wait()

    def _wait(self) -> None:
        self._has_begun = False
        self._arrived = 0
        self.since = self._loop.time()

    def _refuse(self, response: FrontResponse) -> None:
        if not self._transport.is_closing():
            self._transport.write(_written(response, False))
            self._transport.close()


def _written(response: FrontResponse, keeps: bool, *, bodiless: bool = False) -> bytes:
    """Return the bytes of a response. Raises `ValueError` for a header that would break out of its line."""
    status, headers, body = response
    lines = [_begun(status, int(time.time()))]
    for name, value in headers:
        if b"\n" in value or b"\r" in value:
            raise ValueError(f"the header {name!r} holds a line break")
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"content-length: %d\r\n" % len(body))
    lines.append(b"\r\n" if keeps else b"connection: close\r\n\r\n")
    if not bodiless:
        lines.append(body)
    return b"".join(lines)


@lru_cache(maxsize=16)
def _begun(status: int, seconds: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ndate: {formatdate(seconds, usegmt=True)}\r\n".encode()
