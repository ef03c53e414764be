"""Connections to origins: strict HTTP/1.1, with llhttp's parser (httptools), kept alive between requests.

A connection is used again only if the end of the last response is certain (RFC 9112, section 9.3), and never if a
single byte arrived after it.
"""

import asyncio
import re
import select
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

import httptools
from aiohappyeyeballs import start_connection

from keyfront.edge.response.pages import Headers
from keyfront.errors import ServiceError

_IDLE_SECONDS: Final = 5
_MOST_IDLE: Final = 64
_MOST_HEAD: Final = 100 * 1024
"""Limit of a response's head in bytes, interim responses included."""
_MUCH: Final = 256 * 1024
"""When this many bytes of a body wait to be read, the origin has to wait, too."""
_HAPPY_EYEBALLS_SECONDS: Final = 0.25
_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_STATES_A_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
# RFC 9112, sections 3 and 5. A server could read any other head as a different request.
_HEAD: Final = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*\r\n)+\r\n"
)


class ExchangeError(ServiceError):
    """A request without a response, or a body that broke off."""

    def __init__(self, text: str, *, timed_out: bool = False, connected: bool = True, answered: bool = True) -> None:
        """`connected`: whether there was a connection. `answered`: whether at least one byte came back."""
        super().__init__(text)
        self.timed_out = timed_out
        self.connected = connected
        self.answered = answered


class Place(NamedTuple):
    """Where a connection leads."""

    is_secure: bool
    host: str
    """A host name, or an address without brackets."""
    port: int


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a connection, and for the other side to send or accept the next byte."""

    connect: float
    silence: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is sent. A `body` without a `length` is sent in chunks."""

    method: str
    head: bytes
    """Everything before the body."""
    body: AsyncIterator[bytes] | None = None
    length: int | None = None

    @classmethod
    def of(
        cls, method: str, target: bytes, headers: Headers, body: AsyncIterator[bytes] | None, length: int | None
    ) -> "Sent":
        """Make a request. `headers` must not contain the body's length. `ExchangeError`: a value is not valid HTTP."""
        if body is not None and length is None:
            headers = [*headers, (b"transfer-encoding", b"chunked")]
        elif body is not None or method in _STATES_A_LENGTH:
            headers = [*headers, (b"content-length", b"%d" % (length or 0))]
        lines = [b"%b: %b\r\n" % (name, value.strip(b" \t")) for name, value in headers]
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode("latin-1"), target, b"".join(lines))
        # A line break in a value would make two headers.
        if _HEAD.fullmatch(head) is None or head.count(b"\n") != len(headers) + 2:
            raise ExchangeError("the request has a method, target or header that is not valid in HTTP")
        return cls(method, head, body, length)

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again if its result is unknown (RFC 9110, section 9.2.1)."""
        return self.body is None and self.method in _REPEATABLE


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

    def __init__(self, pool: "Connections", place: Place) -> None:
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


class Connections:
    """Connections by their place. Use them in one event loop."""

    def __init__(self, context: ssl.SSLContext) -> None:
        """`context` checks the other side of secure connections."""
        self._context = context
        self._context.set_alpn_protocols(["http/1.1"])
        self._all: set[Connection] = set()
        self._idle: dict[Place, deque[Connection]] = {}
        self._idle_count = 0
        self._sweeper: asyncio.TimerHandle | None = None

    async def ask(self, place: Place, sent: Sent, patience: Patience) -> Received:
        """Send a request, and return when the response's headers have arrived. Raises `ExchangeError`.

        The other side may just have closed an idle connection. If that shows only after the request was sent, a
        repeatable request is sent again.
        """
        while (idle := self._pick(place)) is not None:
            try:
                return await idle.ask(sent, patience)
            except ExchangeError as error:
                if error.answered or not sent.is_repeatable:
                    raise
        connection = await self._connect(place, patience.connect)
        return await connection.ask(sent, patience)

    def take_back(self, connection: Connection) -> None:
        """Keep `connection` for a while for the next request."""
        if self._idle_count >= _MOST_IDLE:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(connection.place, deque()).append(connection)
        self._idle_count += 1
        if self._sweeper is None:
            self._sweeper = loop.call_later(_IDLE_SECONDS, self._sweep)

    def forget(self, connection: Connection) -> None:
        """Remove `connection`, which has ended."""
        self._all.discard(connection)
        idle = self._idle.get(connection.place)
        if idle is not None and connection in idle:
            idle.remove(connection)
            self._idle_count -= 1

    async def aclose(self) -> None:
        """End all connections."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self._all):
            connection.abort()
        # The loop closes a transport's socket in its next iteration.
        await asyncio.sleep(0)

    def _pick(self, place: Place) -> Connection | None:
        """Return the most recently used connection, which is the least likely to have been closed."""
        idle = self._idle.get(place)
        while idle:
            connection = idle.pop()
            self._idle_count -= 1
            if connection.is_reusable:
                return connection
            connection.abort()
        return None

    def _sweep(self) -> None:
        self._sweeper = None
        loop = asyncio.get_running_loop()
        expired = loop.time() - _IDLE_SECONDS
        for place, idle in list(self._idle.items()):
            while idle and idle[0].idle_since <= expired:
                idle[0].abort()
            if not idle:
                del self._idle[place]
        if self._idle:
            oldest = min(idle[0].idle_since for idle in self._idle.values())
            self._sweeper = loop.call_at(oldest + _IDLE_SECONDS, self._sweep)

    async def _connect(self, place: Place, seconds: float) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
                connected = await start_connection(found, happy_eyeballs_delay=_HAPPY_EYEBALLS_SECONDS, loop=loop)
                _, connection = await loop.create_connection(
                    lambda: Connection(self, place),
                    sock=connected,
                    ssl=self._context if place.is_secure else None,
                    server_hostname=place.host if place.is_secure else None,
                )
        except TimeoutError as error:
            raise ExchangeError(f"no connection in {seconds} s", timed_out=True, connected=False) from error
        except (OSError, RuntimeError, UnicodeError) as error:
            raise ExchangeError(str(error) or type(error).__name__, connected=False) from error
        self._all.add(connection)
        return connection


def _expire(waiter: "asyncio.Future[None]", seconds: float) -> None:
    if not waiter.done():
        waiter.set_exception(ExchangeError(f"nothing arrived in {seconds} s", timed_out=True))
