"""The edge's latest decisions, and how many there were by reason and key in each minute of the last hour."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

KEPT: Final = 400
"""How many decisions are kept. Older ones are only counted."""
MINUTES: Final = 60
_WAITING: Final = 100


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of the edge. It holds no query string, because the signature is in it."""

    number: int
    at: float
    """Seconds since the epoch."""
    distribution_id: str
    ip: str
    method: str
    url: str
    status: int
    cache: str
    reason: str
    """`allowed`, or why the request was refused: a stable slug."""
    key_pair_id: str
    finding: str = ""
    """The finding of `keyfront explain` that explains a refusal; empty if it is not known."""
    location: str = ""


@dataclass(slots=True)
class Minute:
    """The counts of one minute."""

    number: int
    """Minutes since the epoch."""
    reasons: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)


class Decisions:
    """What the edge decided, for pages that show it as it happens. Used in one event loop, read from any thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._latest: deque[Decided] = deque(maxlen=KEPT)
        self._minutes: deque[Minute] = deque(maxlen=MINUTES)
        self._last_used: dict[str, float] = {}
        self._watching: set[asyncio.Queue[Decided]] = set()
        self._number = 0

    def take(self, told: Iterable[Mapping[str, object]], counts: Mapping[str, int], location: str = "") -> None:
        """Take decisions from the edge. `counts` holds how many more there were, by `REASON KEY`."""
        for each in told:
            self._take(each, location)
        for name, number in counts.items():
            reason, _, key = name.partition(" ")
            self._count(self._clock(), reason, key, number)

    def _take(self, each: Mapping[str, object], location: str) -> None:
        self._number += 1
        at, status = each.get("at"), each.get("status")
        texts = {
            name: str(each.get(name) or "")
            for name in ("distribution_id", "ip", "method", "url", "cache", "reason", "key_pair_id", "finding")
        }
        decided = Decided(
            number=self._number,
            at=at if isinstance(at, int | float) else self._clock(),
            status=status if isinstance(status, int) else 0,
            location=location,
            **texts,
        )
        self._latest.append(decided)
        self._count(decided.at, decided.reason, decided.key_pair_id, 1)
        if decided.key_pair_id and decided.reason == "allowed":
            self._last_used[decided.key_pair_id] = decided.at
        for queue in self._watching:
            if queue.qsize() < _WAITING:
                queue.put_nowait(decided)

    def _count(self, at: float, reason: str, key: str, number: int) -> None:
        minute = int(at // 60)
        if not self._minutes or self._minutes[-1].number < minute:
            self._minutes.append(Minute(minute))
        self._minutes[-1].reasons[reason] += number
        if key:
            self._minutes[-1].keys[key] += number

    def latest(self) -> list[Decided]:
        """Return the decisions that are kept, the newest first."""
        return list(self._latest)[::-1]

    def minutes(self) -> list[Minute]:
        """Return the counts of the last hour, a value for each minute, the oldest first."""
        now = int(self._clock() // 60)
        known = {each.number: each for each in list(self._minutes)}
        return [known.get(number) or Minute(number) for number in range(now - MINUTES + 1, now + 1)]

    def last_used(self) -> Mapping[str, float]:
        """Return when each key last signed an allowed request, by key-pair id, in seconds since the epoch."""
        return dict(self._last_used)

    def watch(self) -> "asyncio.Queue[Decided]":
        """Return a queue that gets every new decision until `forget`. A slow reader misses some."""
        queue: asyncio.Queue[Decided] = asyncio.Queue()
        self._watching.add(queue)
        return queue

    def forget(self, queue: "asyncio.Queue[Decided]") -> None:
        """Stop filling a queue."""
        self._watching.discard(queue)
