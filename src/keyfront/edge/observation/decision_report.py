"""Reports decisions to the parent process, which shows them in the console: JSON lines, few and short."""

import asyncio
import json
from collections import Counter
from typing import Any, Final, TextIO

from keyfront.edge.observation.record import Record

_EACH_SECONDS: Final = 0.2
_MOST: Final = 20
"""How many decisions a line describes. The others are only counted, so that a busy edge writes little."""
_LONGEST: Final = 300
_FINDING: Final = b"x-keyfront-finding"


class DecisionReport:
    """Writes `{"event": "decided", "decisions": […], "counts": {"REASON KEY": N}}`, at most five lines a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()
        self._waiting = False

    def observe(self, record: Record) -> None:
        """Take the record. It is written soon."""
        if len(self._told) < _MOST:
            self._told.append(_as_json(record))
        else:
            self._counts[f"{record.outcome.reason} {_key(record)}"] += 1
        if not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_later(_EACH_SECONDS, self._write)

    def _write(self) -> None:
        self._waiting = False
        # An attacker can invent keys without end.
        counts = dict(self._counts.most_common(_MOST))
        line = json.dumps({"event": "decided", "decisions": self._told, "counts": counts})
        self._told, self._counts = [], Counter()
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: nobody reads what would be written at the end."""


def _as_json(record: Record) -> dict[str, Any]:
    outcome = record.outcome
    finding = next((value for name, value in record.headers if name.lower() == _FINDING), b"")
    return {
        "at": round(outcome.at, 3),
        "distribution_id": outcome.distribution_id,
        "ip": outcome.ip,
        "method": outcome.method[:20],
        "url": outcome.url[:_LONGEST],
        "status": record.status,
        "cache": outcome.cache,
        "reason": outcome.reason,
        "key_pair_id": _key(record),
        "finding": finding.decode("ascii", "replace"),
    }


def _key(record: Record) -> str:
    decision = record.outcome.decision
    return ((decision.key_pair_id if decision else None) or "")[:40]
