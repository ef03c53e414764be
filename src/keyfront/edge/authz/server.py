"""Runs the service: it listens, follows the configuration, and stops when told to."""

import asyncio
import signal
import socket
from collections.abc import Callable

import uvloop

from keyfront.edge.authz.protection import Rules
from keyfront.garbage import keep_loaded
from keyfront.web.draining import DRAIN_SECONDS, Ending, on_hangup
from keyfront.web.serving import Listener, bind
from keyfront.web.types import ASGIApp

OnReady = Callable[[int], None]
"""Called with the port once the service answers."""


def run(
    app: ASGIApp, rules: Rules, host: str, port: int, on_ready: OnReady, *, drain_seconds: float = DRAIN_SECONDS
) -> None:
    """Answer at `host` and `port` (0: any free port) until SIGINT or SIGTERM. SIGHUP reads the rules again.

    Responses under way have `drain_seconds` to end; a second signal ends them at once. Raises `PortError` if it
    cannot listen there.
    """
    uvloop.run(_serve(app, rules, bind(host, port, option="another --port"), on_ready, drain_seconds))


async def _serve(app: ASGIApp, rules: Rules, bound: socket.socket, on_ready: OnReady, drain_seconds: float) -> None:
    ending = Ending(drain_seconds)
    ending.on(signal.SIGINT, signal.SIGTERM)
    on_hangup(rules.read_now, ending)
    listener = Listener(app, bound)
    listener.start()
    rules.start()
    try:
        keep_loaded()
        on_ready(listener.port)
        await ending.asked.wait()
    finally:
        stopping = asyncio.ensure_future(asyncio.to_thread(rules.stop))
        await listener.stop(ending.drain)
        await stopping
