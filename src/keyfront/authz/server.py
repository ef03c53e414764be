"""The service as a process: listen, follow the configuration, stop when told to."""

import asyncio
import signal
from collections.abc import Callable

import uvloop

from keyfront.authz.rules import Rules
from keyfront.serving import ASGIApp, Listener, bind


def run(app: ASGIApp, rules: Rules, host: str, port: int, on_ready: Callable[[int], None]) -> None:
    """Answer at `host` and `port` (0: any that is free) until SIGINT or SIGTERM; `on_ready` gets the port.

    Raises `PortError` when it cannot listen there.
    """
    uvloop.run(_serve(app, rules, host, port, on_ready))


async def _serve(app: ASGIApp, rules: Rules, host: str, port: int, on_ready: Callable[[int], None]) -> None:
    until, loop = asyncio.Event(), asyncio.get_running_loop()
    listener = Listener(app, bind(host, port, option="another --port"))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, until.set)
    listener.start()
    rules.start()
    try:
        on_ready(listener.port)
        await until.wait()
    finally:
        await asyncio.to_thread(rules.stop)
        await listener.stop()
