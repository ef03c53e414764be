"""Connections to origins, kept alive between requests."""

import asyncio
import socket
import ssl
from collections import deque
from typing import Final

from aiohappyeyeballs import start_connection

from keyfront.edge.origin.connection import Connection, Received
from keyfront.edge.origin.messages import ExchangeError, Patience, Place, Sent

_IDLE_SECONDS: Final = 5
_MOST_IDLE: Final = 64
_HAPPY_EYEBALLS_SECONDS: Final = 0.25


class Pool:
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
                    server_hostname=(place.server_name or place.host) if place.is_secure else None,
                )
        except TimeoutError as error:
            raise ExchangeError(f"no connection in {seconds} s", timed_out=True, connected=False) from error
        except (OSError, RuntimeError, UnicodeError) as error:
            raise ExchangeError(str(error) or type(error).__name__, connected=False) from error
        self._all.add(connection)
        return connection
