"""The edge as a process of its own: `python -m keyfront.edge`.

Its settings (those of `EdgeSettings`) come as one JSON object: the first argument, or else the first line of
standard input. It writes JSON objects to standard output, one a line: first `{"event": "ready", "http": PORT,
"https": PORT, "authority": FILE, "location": NAME}` or `{"event": "failed", "error": TEXT}`, then `{"event": "applied",
"distributions": {ID: ETAG}}` for each configuration that it has taken up, and `{"event": "standing", "faulty": BOOL,
"closed": BOOL, "keyless": [GROUP], "age": SECONDS}` when that configuration stands in another way than before. It
stops on SIGTERM, and when standard input ends: then whoever started it is gone; of both the second ends it at once.
SIGHUP lets it read configuration and certificate anew. SIGINT is for the one who started it.
"""

import asyncio
import gc
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
from keyfront.web.draining import Ending

_PATHS = ("directory", "origin_authorities", "keys", "access_logs")
_GARBAGE = 10_000
"""Objects that are made before the collector looks for cycles."""


def settings_from(text: str) -> EdgeSettings:
    """Settings from a JSON object. Raises `InputError` for anything else and for names that are no settings."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InputError('the edge\'s settings are no JSON object: give one, such as {} or {"http_port": 8080}')
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
    """Run until told to stop; 2 for settings that cannot be used."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it listens there is nothing to read anew
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = settings_from(sys.argv[1] if len(sys.argv) > 1 else sys.stdin.readline())
        uvloop.run(_serve(settings))
    except KeyfrontError as error:
        _say(event="failed", error=str(error))
        return 2
    return 0


async def _serve(settings: EdgeSettings) -> None:
    ending, reload, loop = Ending(settings.drain_seconds), asyncio.Event(), asyncio.get_running_loop()
    ending.on(signal.SIGTERM)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    threading.Thread(target=_watch_input, args=(loop, ending), daemon=True).start()
    await serve(
        settings,
        ending,
        reload=reload,
        on_ready=_ready,
        on_applied=lambda etags: _say(event="applied", distributions=etags),
        on_standing=_Standings(),
    )


class _Standings:
    """Says how the configuration stands whenever that is news; that it was read again, as before, is none."""

    def __init__(self) -> None:
        self._said: Standing | None = None

    def __call__(self, standing: Standing) -> None:
        if standing.read_at is None:
            return  # as it was when it started
        news = replace(standing, read_at=0.0)
        if news != self._said:
            self._said = news
            message = asdict(news) | {"age": standing.age(time.monotonic())}
            del message["read_at"]
            _say(event="standing", **message)


def _watch_input(loop: asyncio.AbstractEventLoop, ending: Ending) -> None:
    # Not through `sys.stdin`, whose lock a thread that waits would still hold when the interpreter ends.
    while os.read(0, 1024):
        pass
    loop.call_soon_threadsafe(ending.ask)


def _ready(addresses: Addresses) -> None:
    # What was imported stays: without this the collector walks through it again and again while objects are kept.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    _say(event="ready", **{**asdict(addresses), "authority": str(addresses.authority)})


def _say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
