"""The edge as a process of its own: `python -m keyfront.edge`.

It takes its settings (the fields of `EdgeSettings`) as one JSON object: the first argument, or if there is none, the
first line of standard input. It writes one JSON object a line to standard output:

- first `{"event": "ready", "http": PORT, "https": PORT, "authority": FILE, "location": NAME}`,
  or `{"event": "failed", "error": TEXT}`;
- `{"event": "applied", "distributions": {ID: ETAG}}` for each configuration that it applies;
- `{"event": "decided", "decisions": [{…}], "counts": {"REASON KEY": N}}` with `report_decisions`, for requests;
- `{"event": "standing", "faulty": BOOL, "closed": BOOL, "keyless": [GROUP], "age": SECONDS}` when the standing of the
  configuration changes.

Any further line of standard input makes it read the configuration now. It stops on SIGTERM, and when standard input
ends, since then the parent process is gone. A second such request stops it at once. SIGHUP makes it read the
configuration and the certificate again. It leaves SIGINT to its parent.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import uvloop

from keyfront.edge.server.server import Addresses, serve
from keyfront.edge.server.settings import EdgeSettings
from keyfront.edge.server.standing import Standing
from keyfront.errors import InputError, KeyfrontError
from keyfront.garbage import keep_loaded
from keyfront.web.draining import Ending

_PATHS = ("directory", "origin_authorities", "keys", "access_logs")


def settings_from(text: str) -> EdgeSettings:
    """Return settings read from a JSON object. Raises `InputError` for anything else and for unknown names."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InputError('the edge\'s settings are not a JSON object: give one, such as {} or {"http_port": 8080}')
    known = {each.name for each in fields(EdgeSettings)}
    if unknown := sorted(given.keys() - known):
        raise InputError(f"the edge has no setting {unknown[0]!r}: it knows {', '.join(sorted(known))}")
    values: dict[str, Any] = {
        name: Path(value) if name in _PATHS and isinstance(value, str) else value for name, value in given.items()
    }
    if isinstance(values.get("files"), list):
        values["files"] = tuple(map(Path, values["files"]))
    return EdgeSettings(**values)


def main() -> int:
    """Run until told to stop. Return 2 if the settings cannot be used."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it listens there is nothing to read again
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = settings_from(sys.argv[1] if len(sys.argv) > 1 else sys.stdin.readline())
        uvloop.run(_serve(settings))
    except KeyfrontError as error:
        _say(event="failed", error=str(error))
        return 2
    return 0


async def _serve(settings: EdgeSettings) -> None:
    ending, loop = Ending(settings.drain_seconds), asyncio.get_running_loop()
    reload, changed = asyncio.Event(), asyncio.Event()
    ending.on(signal.SIGTERM)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    threading.Thread(target=_watch_input, args=(loop, ending, changed), daemon=True).start()
    await serve(
        settings,
        ending,
        reload=reload,
        changed=changed,
        on_ready=_ready,
        on_applied=lambda etags: _say(event="applied", distributions=etags),
        on_standing=_Standings(),
    )


class _Standings:
    """Reports the standing of the configuration when it changes, but not after each unchanged reading."""

    def __init__(self) -> None:
        self._said: Standing | None = None

    def __call__(self, standing: Standing) -> None:
        if standing.read_at is None:
            return  # nothing was read yet
        news = replace(standing, read_at=0.0)
        if news != self._said:
            self._said = news
            message = asdict(news) | {"age": standing.age(time.monotonic())}
            del message["read_at"]
            _say(event="standing", **message)


def _watch_input(loop: asyncio.AbstractEventLoop, ending: Ending, changed: asyncio.Event) -> None:
    # Not `sys.stdin`: this thread would still hold its lock when the interpreter exits.
    while os.read(0, 1024):
        loop.call_soon_threadsafe(changed.set)
    loop.call_soon_threadsafe(ending.ask)


def _ready(addresses: Addresses) -> None:
    keep_loaded()
    _say(event="ready", **{**asdict(addresses), "authority": str(addresses.authority)})


def _say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
