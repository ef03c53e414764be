"""Runs the service: it listens, follows the configuration, and stops when told to."""

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Final

import uvloop

from keyfront.edge.authz.front_connection import FrontConnection, Respond
from keyfront.edge.authz.protection import Rules
from keyfront.garbage import keep_loaded
from keyfront.web.draining import DRAIN_SECONDS, Drain, Ending, on_hangup
from keyfront.web.serving import bind, most_connections

OnReady = Callable[[int], None]
"""Called with the port once the service answers."""

_IDLE_SECONDS: Final = 75.0
"""How long a connection waits for a request. nginx closes its own after 60 seconds, so it never meets a closed one."""
_LOOK_SECONDS: Final = 5.0
_LAST_SECONDS: Final = 1.0
"""When the service stops, the rest of a request must arrive in this time."""


def run(
    respond: Respond, rules: Rules, host: str, port: int, on_ready: OnReady, *, drain_seconds: float = DRAIN_SECONDS
) -> None:
    """Answer at `host` and `port` (0: any free port) until SIGINT or SIGTERM. SIGHUP reads the rules again.

    Responses under way have `drain_seconds` to end; a second signal ends them at once. Raises `PortError` if it
    cannot listen there.
    """
    uvloop.run(_serve(respond, rules, bind(host, port, option="another --port"), on_ready, drain_seconds))


async def _serve(respond: Respond, rules: Rules, bound: socket.socket, on_ready: OnReady, drain_seconds: float) -> None:
    ending = Ending(drain_seconds)
    ending.on(signal.SIGINT, signal.SIGTERM)
    on_hangup(rules.read_now, ending)
    listener = FrontListener(respond, bound)
    await listener.start()
    rules.start()
    try:
        keep_loaded()
        on_ready(listener.port)
        await ending.asked.wait()
    finally:
        stopping = asyncio.ensure_future(asyncio.to_thread(rules.stop))
        await listener.stop(ending.drain)
        await stopping


class FrontListener:
    """Answers front doors on a socket, from `start` to `stop`."""

    def __init__(self, respond: Respond, bound: socket.socket, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self.port = int(bound.getsockname()[1])
        self._respond = respond
        self._socket = bound
        self._idle_seconds = idle_seconds
        self._opened: set[FrontConnection] = set()

    async def start(self) -> None:
        """Start to answer."""
        loop, most = asyncio.get_running_loop(), most_connections()
        self._server = await loop.create_server(
            lambda: FrontConnection(self._respond, self._opened, most), sock=self._socket
        )
        self._sweeper = loop.create_task(self._sweep())

    async def stop(self, drain: Drain) -> None:
        """Accept no more connections, answer requests that have begun to arrive, and close all connections."""
        self._server.close()
        self._sweeper.cancel()
        closed = asyncio.ensure_future(self._all_closed())
        for each in tuple(self._opened):
            each.end(patiently=True)
        await drain.wait(closed, at_most=_LAST_SECONDS)
        for each in tuple(self._opened):
            each.end(patiently=False)
        await drain.wait(closed)
        for each in tuple(self._opened):
            each.abort()
        await closed

    async def _all_closed(self) -> None:
        while self._opened:
            await asyncio.sleep(0.01)

    async def _sweep(self) -> None:
        """Close connections whose next request does not come."""
        pause = min(_LOOK_SECONDS, self._idle_seconds)
        while True:
            await asyncio.sleep(pause)
            oldest = asyncio.get_running_loop().time() - self._idle_seconds
            for each in [each for each in self._opened if each.since < oldest]:
                each.abort()
