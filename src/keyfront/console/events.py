"""Server-sent events: parts of a page that change while it is open."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from keyfront.console.problems import problem_of
from keyfront.errors import KeyfrontError

LOOK_SECONDS: Final = 1.0


@dataclass(slots=True)
class Stopping:
    """Whether the console stops. Streams end within a second after that."""

    is_asked: bool = field(default=False)


def event(name: str, value: object) -> str:
    """Return an event whose data is `value` as JSON."""
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"


def stream(events: AsyncIterator[str]) -> StreamingResponse:
    """Return the response that sends events."""
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def changes(
    look: Callable[[], tuple[object, bool]], stopping: Stopping, *, seconds: float = LOOK_SECONDS
) -> AsyncIterator[str]:
    """Yield an event `part` whenever the first value of `look` changes, until the second one is true.

    `look` may block. An error becomes an event `problem`, and looking goes on.
    """
    before: object = None
    is_over = False
    while not (is_over or stopping.is_asked):
        try:
            seen, is_over = await run_in_threadpool(look)
            name = "part"
        except KeyfrontError as error:
            seen, name = problem_of(error).text, "problem"
        if (name, seen) != before:
            before = (name, seen)
            yield event(name, seen)
        if not is_over:
            await asyncio.sleep(seconds)
    yield event("end", None)
