"""What `keyfront rotate` shows: events, waits and the state."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import typer

from keyfront.cli.output import Json, show

if TYPE_CHECKING:
    from keyfront.account.rotation import Rotation, State

_EVERY: Final = 60.0
"""Seconds between two lines about the same wait where no terminal shows it."""


class Watch:
    """Waits, and shows for what: a status line on a terminal, otherwise a line at the start and every minute."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, quiet=quiet)
        self._plain = not quiet and not self._console.is_terminal
        self._since: float | None = None
        self._told = 0.0

    def step(self) -> None:
        """Note that a step was done: the next wait is another one."""
        self._since = None

    def wait(self, rotation: "Rotation", text: str, until: float) -> None:
        """Wait until `until`, and keep hold of the rotation, so that no other process works on it."""
        begins, self._since = self._since is None, self._since or time.time()
        with self._console.status(text) as status:
            while (left := until - time.time()) > 0:
                status.update(f"{text} ({timedelta(seconds=round(left))} left)")
                if self._plain and (begins or time.time() - self._told >= _EVERY):
                    begins, self._told = False, time.time()
                    tell(False, "waiting", f"waiting since {clock(self._since)}: {text}, until {clock(until)}")
                time.sleep(min(left, 1.0 if left < 60 else 15.0))
                rotation.hold()


def tell(as_json: bool, event: str, text: str, state: "State | None" = None, **more: Json) -> None:
    """Print one event: a line with its time, or one JSON object on a line."""
    if as_json:
        phase: dict[str, Json] = {} if state is None else {"phase": str(state.phase)}
        typer.echo(json.dumps({"event": event, "at": round(time.time(), 3), "text": text, **phase, **more}))
    else:
        show(f"{datetime.now().astimezone():%H:%M:%S}  {text}")


def document(state: "State") -> dict[str, Json]:
    """Return a state without its key, as JSON."""
    return {
        "id": state.id,
        "phase": str(state.phase),
        "undoing": state.back,
        "signer": state.plan.signer,
        "old_key_pair_id": state.old_id,
        "new_key_pair_id": state.new_id,
        "started": state.started,
        "added_at": state.added_at,
        "switched_at": state.switched_at,
        "removable_at": state.removable_at,
        "probe_url": state.plan.probe_url,
    }


def lines(state: "State") -> Iterator[str]:
    """Yield a state's lines: its phases, and when the next step is."""
    from keyfront.account.rotation.progress import next_at, phases

    yield f"{state.id}, started {clock(state.started)}" + (", being undone" if state.back else "")
    for reached in phases(state):
        yield f"  {'done' if reached.is_done else '    '}  {reached.words}"
    now = time.time()
    if (until := next_at(state)) is not None and until > now:
        yield f"the next step is at {clock(until)}, in {timedelta(seconds=round(until - now))}"
    else:
        yield f"continue: keyfront rotate continue --group {state.plan.group}"


def clock(seconds: float) -> str:
    """Return a time in UTC, from seconds since the epoch."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
