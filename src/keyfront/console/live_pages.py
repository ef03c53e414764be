"""The page of decisions: those of the laptop's edge as they happen, or what an account's access logs say."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from keyfront.console.context import Context
from keyfront.console.decisions import Decisions
from keyfront.console.events import LOOK_SECONDS, event, stream
from keyfront.console.problems import problem_of
from keyfront.errors import InputError, KeyfrontError
from keyfront.explain.rules import RULES

_SHOWN: Final = 100
_HIGH: Final = 100
"""The height of a chart's highest bar."""
_WIDE: Final = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the chart: how high its two parts are, and what it says."""

    x: int
    allowed: float
    refused: float
    told: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Requests by time, and by reason and key."""

    bars: tuple[Bar, ...]
    width: int
    most: int
    first: str
    last: str
    reasons: tuple[tuple[str, int], ...]
    keys: tuple[tuple[str, int], ...]


class LivePages:
    """The pages below `/live`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pages = context.pages

    @property
    def routes(self) -> list[Route]:
        """The paths of these pages."""
        return [
            Route("/live", self.page, methods=["GET"]),
            Route("/live/events", self.events, methods=["GET"]),
            Route("/live/logs", self.logs, methods=["GET"]),
            Route("/live/{number:int}", self.decision, methods=["GET"]),
        ]

    def page(self, request: Request) -> Response:
        """Show the latest decisions. Its script then adds new ones."""
        decisions, logs = self._context.decisions, self._context.logs
        values = {
            "latest": decisions.latest()[:_SHOWN] if decisions else None,
            "chart": chart_of(decisions) if decisions else None,
            "sources": logs.sources if logs else (),
        }
        return self._pages.html(request, "live.html", values)

    async def events(self, _: Request) -> StreamingResponse:
        """Send each new decision as a row of the table, and the chart when it has changed."""
        decisions = self._context.decisions
        return stream(self._news(decisions) if decisions else _nothing())

    async def _news(self, decisions: Decisions) -> AsyncIterator[str]:
        queue = decisions.watch()
        try:
            yield event("ready", None)
            drawn, is_new = 0.0, False
            while not self._context.stopping.is_asked:
                with contextlib.suppress(TimeoutError):
                    decided = await asyncio.wait_for(queue.get(), LOOK_SECONDS)
                    is_new = True
                    yield event("decision", self._pages.part("decision_row.html", {"each": decided}))
                if is_new and time.monotonic() - drawn >= LOOK_SECONDS:
                    drawn, is_new = time.monotonic(), False
                    yield event("chart", self._pages.part("chart.html", {"chart": chart_of(decisions)}))
        finally:
            decisions.forget(queue)

    def decision(self, request: Request) -> Response:
        """Show one decision, and the finding that explains it."""
        number = request.path_params["number"]
        known = self._context.decisions.latest() if self._context.decisions else []
        found = next((each for each in known if each.number == number), None)
        if found is None:
            raise InputError(f"decision {number} is not kept any more: only the latest ones are")
        return self._pages.html(request, "decision.html", {"each": found, "rule": RULES.get(found.finding)})

    def logs(self, request: Request) -> Response:
        """Return what the access logs say, as a part of the page."""
        reader = self._context.logs
        try:
            if reader is None:
                raise InputError("no access logs are given: start the console with --access-log")
            summary = reader.read(again="again" in request.query_params)
        except KeyfrontError as error:
            problem = problem_of(error)
            return HTMLResponse(self._pages.part("failed.html", {"problem": problem}), problem.status)
        hours = [(hour, allowed, refused) for hour, _, _, allowed, refused, _ in summary.hours]
        keys = Counter[str]()
        for use in summary.keys:
            keys[use.key_pair_id] += use.requests
        chart = _chart(hours, "%Y-%m-%d %H:00", {each.id: each.requests for each in summary.reasons}, keys)
        return HTMLResponse(self._pages.part("logs.html", {"summary": summary, "chart": chart}))


async def _nothing() -> AsyncIterator[str]:
    yield event("end", None)


def chart_of(decisions: Decisions) -> Chart:
    """Return the chart of the last hour."""
    minutes = decisions.minutes()
    reasons, keys = Counter[str](), Counter[str]()
    for minute in minutes:
        reasons.update(minute.reasons)
        keys.update(minute.keys)
    counted = [
        (each.number * 60, each.reasons["allowed"], each.reasons.total() - each.reasons["allowed"]) for each in minutes
    ]
    return _chart(counted, "%H:%M", reasons, keys)


def _chart(times: Sequence[tuple[int, int, int]], form: str, reasons: dict[str, int], keys: dict[str, int]) -> Chart:
    most = max((allowed + refused for _, allowed, refused in times), default=0)
    bars = [
        Bar(
            number * _WIDE,
            allowed * _HIGH / (most or 1),
            refused * _HIGH / (most or 1),
            f"{_at(at, form)}: {allowed} allowed, {refused} refused",
        )
        for number, (at, allowed, refused) in enumerate(times)
    ]
    first, last = (_at(times[0][0], form), _at(times[-1][0], form)) if times else ("", "")
    return Chart(tuple(bars), max(1, len(bars)) * _WIDE, most, first, last, _top(reasons), _top(keys))


def _at(seconds: int, form: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def _top(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    ranked: Iterable[tuple[str, int]] = Counter(counts).most_common(12)
    return tuple((name, number) for name, number in ranked if number)
