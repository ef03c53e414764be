"""Serves the console alone, until a signal ends it."""

import asyncio
import signal
from collections.abc import Callable

from keyfront.console.accounts import Account
from keyfront.console.application import console
from keyfront.console.events import Stopping
from keyfront.console.gate import Secrets
from keyfront.console.log_summary import LogReader
from keyfront.console.ports import USUAL, bind_console
from keyfront.garbage import keep_loaded
from keyfront.web.draining import Drain, Ending
from keyfront.web.serving import Listener

_DRAIN_SECONDS = 3.0


def serve(
    account: Account,
    *,
    port: int | None,
    read_only: bool,
    tell: Callable[[str], None],
    logs: LogReader | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP. `tell` is called with the address, with its token, once it answers.

    Raises `PortError` if a given port is taken.
    """
    asyncio.run(_serve(account, port, read_only, tell, logs))


def address(port: int, known: Secrets) -> str:
    """Return the address to open, which has the token."""
    return f"http://127.0.0.1:{port}/?token={known.token}"


async def _serve(
    account: Account, port: int | None, read_only: bool, tell: Callable[[str], None], logs: LogReader | None
) -> None:
    ending = Ending(_DRAIN_SECONDS)
    ending.on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    known, stopping = Secrets(), Stopping()
    app = console(account, known, read_only=read_only, stopping=stopping, logs=logs)
    listeners = [Listener(app, bound) for bound in bind_console(port, USUAL, "--port")]
    for listener in listeners:
        listener.start()
    if logs is not None:
        logs.begin()
    try:
        keep_loaded()
        tell(address(listeners[0].port, known))
        await ending.asked.wait()
    finally:
        stopping.is_asked = True
        drain = Drain(_DRAIN_SECONDS)
        await asyncio.gather(*(listener.stop(drain) for listener in listeners))
