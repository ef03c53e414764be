"""Decisions for the console: JSON lines that stay few and short, whatever viewers send."""

import asyncio
import io
import json
from dataclasses import dataclass, field
from typing import Any

from keyfront.edge.exchange import Outcome
from keyfront.edge.observation.decision_report import DecisionReport


@dataclass
class Seen:
    """The part of a record that is reported."""

    outcome: Outcome
    status: int = 403
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def _seen(number: int, url: str = "https://d/x") -> Any:
    outcome = Outcome(b"id", 1.5, "E1", "192.0.2.1", "GET", url, 403, "Error", f"reason-{number % 2}", None)
    return Seen(outcome, headers=[(b"x-keyfront-finding", b"expired")])


async def _reported(records: list[Any]) -> list[dict[str, Any]]:
    stream = io.StringIO()
    report = DecisionReport(stream)
    for each in records:
        report.observe(each)
    while not stream.getvalue():
        await asyncio.sleep(0.01)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_decision_is_reported_with_its_finding() -> None:
    (line,) = asyncio.run(_reported([_seen(1)]))
    assert line["event"] == "decided"
    assert line["counts"] == {}
    (told,) = line["decisions"]
    assert told["finding"] == "expired"
    assert (told["at"], told["status"], told["reason"], told["key_pair_id"]) == (1.5, 403, "reason-1", "")


def test_many_decisions_are_counted_and_a_line_is_never_too_long_for_its_reader() -> None:
    (line,) = asyncio.run(_reported([_seen(number, "https://d/" + "é" * 9000) for number in range(500)]))
    assert len(line["decisions"]) == 20
    assert sum(line["counts"].values()) == 480
    assert len(json.dumps(line)) < 64 * 1024
