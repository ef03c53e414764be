"""A connection to an origin: strict HTTP/1.1, with llhttp's parser (httptools).

It is used again only if the end of the last response is certain (RFC 9112, section 9.3), and never if a single byte
arrived after it.
"""

import asyncio
import select
from collections.abc import AsyncIterator
from typing import Final, Protocol, cast

import httptools

from keyfront.edge.origin.messages import ExchangeError, Patience, Place, Sent
from keyfront.edge.response.pages import Headers

_MOST_HEAD: Final = 100 * 1024
"""Limit of a response's head in bytes, interim responses included."""
_MUCH: Final = 256 * 1024
"""When this many bytes of a body wait to be read, the origin has to wait, too."""


class Owner(Protocol):
    """Keeps connections that are not in use."""

    def take_back(self, connection: "Connection") -> None:
        """Keep `connection` for a while for the next request."""

    def forget(self, connection: "Connection") -> None:
        """Remove `connection`, which has ended."""


class Received:
    """A response: its head, and its body as it arrives. Always close it, read or not."""

    __slots__ = ("_connection", "headers", "status")

    def __init__(self, connection: "Connection") -> None:
        self._connection: Connection | None = connection
        self.status = connection.status
        self.headers = connection.headers
        """Raw, with names in lower case."""

    @property
    def is_read(self) -> bool:
        """Whether the body was read to its end, or the response closed."""
        return self._connection is None

    async def read(self) -> bytes:
        """Return the next bytes of the body, not decoded; none at its end. Raises `ExchangeError`."""
        if self._connection is None:
            return b""
        data = await self._connection.read()
        if self._connection.is_done:
            self.close()
        return data

    def close(self) -> None:
        """Return the connection to the pool, or end it if the body is not complete."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()


class Connection(asyncio.Protocol):
    """One connection, and the exchange that is under way on it. One task at a time uses it."""

    def __init__(self, pool: Owner, place: Place) -> None:
        self.idle_since = 0.0
        self.status = 0
        self.headers: Headers = []
        """The response's headers, raw, with names in lower case."""
        self.place = place
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport
        self._is_lost = False
        self._is_reset = False
        self._is_full = False
        self._is_paused = False
        self._is_complete = False
        self._spoils = False
        """Whether the connection must not be used for another request."""
        self._in_use = False

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_reset = error is not None
        self._lose()

    def eof_received(self) -> None:
        self._lose()

    def data_received(self, data: bytes) -> None:
        if not self._in_use or self._is_complete:
            self._spoils = True
            self._transport.abort()
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse("it switches to another protocol")
        except httptools.HttpParserError as error:
            # Bytes after a complete response are not a part of it.
            if self._is_complete:
                self._spoils = True
            else:
                self._refuse(str(error) or type(error).__name__)
        if not self._is_head_complete and self._received > _MOST_HEAD:
            self._refuse(f"its head has over {_MOST_HEAD:,} bytes")
        if self._waiting >= _MUCH and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._wake()

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._spoils = self._spoils or self._is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_head_complete:  # a trailer
            return
        self._size += len(name) + len(value)
        if self._size > _MOST_HEAD:
            self._refuse(f"its head has over {_MOST_HEAD:,} bytes")
            return
        self.headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        if self._is_complete or self._error is not None:
            return
        parser, status = self._parser, self._parser.get_status_code()
        if parser.get_http_version() not in ("1.1", "1.0") or status < 100 or status == 101:
            self._refuse(f"status {status} of HTTP/{parser.get_http_version()} is not a response to this request")
        elif status >= 200:
            self._is_head_complete = True
            self.status = status
            self._frame()
        else:
            self.headers = []

    def on_body(self, data: bytes) -> None:
        if self._is_complete:
            self._spoils = True
        else:
            self._chunks.append(data)
            self._waiting += len(data)

    def on_message_complete(self) -> None:
        if self._is_head_complete:
            self._is_complete = True

    def _frame(self) -> None:
        """Find out how the body ends (RFC 9112, section 6.3)."""
        lengths = codings = 0
        for name, value in self.headers:
            if name == b"content-length":
                lengths += 1
            elif name == b"transfer-encoding":
                codings += 1
                if codings > 1 or value.lower() != b"chunked":
                    self._refuse("its Transfer-Encoding is not chunked")
                    return
        has_no_body = self._method == "HEAD" or self.status in (204, 304)
        self._ends_with_connection = not lengths and not codings and not has_no_body
        # Two kinds of length can be request smuggling: the chunks count, and the connection is not used again.
        self._keeps = self._parser.should_keep_alive() and not (lengths and codings)
        # The parser does not know the request's method, and would take the next bytes for a body.
        self._is_complete = self._method == "HEAD"

    # Called by the users of a connection.

    @property
    def is_reusable(self) -> bool:
        """Whether it can send a request: no byte has arrived, and it has not been closed."""
        return not (self._spoils or self._is_lost or self._transport.is_closing() or self._poll.poll(0))

    async def ask(self, sent: Sent, patience: Patience) -> Received:
        """Send a request, and return when the response's headers have arrived. Raises `ExchangeError`.

        After any exception, the connection has ended.
        """
        self._begin(sent.method, patience)
        try:
            self._transport.write(sent.head)
            if sent.body is not None:
                await self._send_body(sent.body, sent.length)
            while not self._is_head_complete:
                self._check()
                await self._event()
            self._check()
        except BaseException:
            self.abort()
            raise
        return Received(self)

    @property
    def is_done(self) -> bool:
        """Whether the body was read to its end."""
        return self._is_complete and not self._chunks

    async def read(self) -> bytes:
        """Return the next bytes of the body; none at its end. Raises `ExchangeError`."""
        while not self._chunks:
            self._check()
            if self._is_complete:
                return b""
            await self._event()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._waiting = 0
        if self._is_paused and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()
        return data

    def release(self) -> None:
        """Return to the pool, or end if the response is not complete or the connection cannot be used again."""
        keeps = self._is_complete and self._is_sent and self._keeps
        if keeps and not (self._spoils or self._is_lost or self._is_paused):
            self._in_use = False
            self._pool.take_back(self)
        else:
            self.abort()

    def abort(self) -> None:
        """End the connection."""
        self._in_use = False
        self._spoils = True
        self._transport.abort()
        self._pool.forget(self)

    def _begin(self, method: str, patience: Patience) -> None:
        self._in_use = True
        self._method = method
        self._silence = patience.silence
        self._parser = httptools.HttpResponseParser(self)
        # Chunks take precedence over a length (RFC 9112, section 6.3); see `_frame`.
        self._parser.set_dangerous_leniencies(lenient_chunked_length=True)
        self.headers = []
        self._chunks: list[bytes] = []
        self._waiting = self._received = self._size = 0
        self._is_sent = True
        self._is_head_complete = self._is_complete = self._keeps = self._ends_with_connection = False
        self._error: str | None = None

    async def _send_body(self, body: AsyncIterator[bytes], length: int | None) -> None:
        """Send the body until the origin refuses it, since then it may stop reading."""
        self._is_sent = False
        left = length
        async for data in body:
            if self._wants_no_more:
                return
            if left is not None:
                left -= len(data)
                if left < 0:
                    raise ExchangeError(f"the body is longer than the {length} bytes that were announced")
            self._transport.write(data if left is not None else b"%x\r\n%b\r\n" % (len(data), data))
            while self._is_full and not self._wants_no_more:
                await self._event()
        if left:
            raise ExchangeError(f"the body should have {length} bytes, and ended {left} bytes too early")
        if left is None:
            self._transport.write(b"0\r\n\r\n")
        self._is_sent = True

    @property
    def _wants_no_more(self) -> bool:
        return self._is_lost or self._error is not None or (self._is_head_complete and self.status >= 300)

    def _check(self) -> None:
        if self._error is not None:
            raise ExchangeError(self._error)
        if self._is_lost and not self._is_complete:
            if self._ends_with_connection and not self._is_reset:
                self._is_complete = True
                return
            raise ExchangeError("the origin closed the connection", answered=self._received > 0)

    async def _event(self) -> None:
        """Wait until something happens. Raises `ExchangeError` if nothing does for too long."""
        self._waiter = waiter = self._loop.create_future()
        timer = self._loop.call_later(self._silence, _expire, waiter, self._silence)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _refuse(self, why: str) -> None:
        if self._error is None:
            self._error = f"the response is not valid: {why}"
            self._spoils = True

    def _lose(self) -> None:
        self._is_lost = True
        self._wake()
        if not self._in_use:
            self._pool.forget(self)


def _expire(waiter: "asyncio.Future[None]", seconds: float) -> None:
    if not waiter.done():
        waiter.set_exception(ExchangeError(f"nothing arrived in {seconds} s", timed_out=True))
