"""The page that says why a request is refused: the report of `keyfront explain`, at any time."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyfront.console.context import Context, field
from keyfront.console.problems import as_json
from keyfront.core.verification import ViewerRequest
from keyfront.errors import InputError
from keyfront.explain import Budget, Distribution, Report, explain, from_inventory
from keyfront.explain.inputs import har, pasted
from keyfront.explain.inputs.answer import response
from keyfront.explain.inputs.asked import Asked, as_sent, link_of
from keyfront.explain.page import body

_SEARCH_SECONDS: Final = 1.0
_BESIDE: Final = 0.15
"""How far the clock goes beyond the policy's times, as a part of its lifetime."""
_LEAST_SECONDS: Final = 60


class WhyPages:
    """The page `/why`, and what its script asks."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account

    @property
    def routes(self) -> list[Route]:
        """The paths of these pages."""
        return [Route("/why", self.page, methods=["GET"]), Route("/ask/why", self.why, methods=["POST"])]

    def page(self, request: Request) -> Response:
        """Show the form."""
        return self._context.pages.html(request, "why.html", {})

    def why(self, request: Request) -> Response:
        """Return the report as HTML, and the times for the clock."""
        return as_json(lambda: self._why(request))

    def _why(self, request: Request) -> dict[str, object]:
        distributions = self._distributions()

        def ours(host: str) -> bool:
            return any(each.answers_to(host) for each in distributions)

        asked = read(field(request, "request"), ours)
        given = field(request, "response")
        at = field(request, "at")
        now = _moment(at) if at else asked.at or time.time()
        deadline = time.monotonic() + _SEARCH_SECONDS
        link = link_of(asked, [name for each in distributions for name in each.names])
        url = as_sent(link.url)
        host = url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
        report = explain(
            ViewerRequest(url, asked.cookie, field(request, "ip")),
            now=now,
            distribution=next((each for each in distributions if each.answers_to(host)), None),
            response=response(given) if given else asked.response,
            method=asked.method,
            headers=asked.headers,
            pasted=link,
            budget=Budget(spent=lambda: time.monotonic() > deadline),
        )
        return {"html": body(report), "outcome": report.verdict.outcome, **_clock(report, now)}

    def _distributions(self) -> list[Distribution]:
        """Return the account's distributions, each with every name at which it can be reached."""
        account = self._account.inventory()
        found = []
        for each in account.distributions:
            converted = from_inventory(each, account)
            hosts = tuple(urlsplit(url).netloc for url in self._context.addresses(each.domain_name))
            found.append(replace(converted, aliases=(*converted.aliases, *hosts)))
        return found


def read(text: str, ours: Callable[[str], bool]) -> Asked:
    """Return the request in a pasted link, curl command or HAR file.

    `ours` says whether a host (with its port) is one of the account's. Raises `InputError`.
    """
    text = text.strip()
    if not text:
        raise InputError("there is no request: paste a URL, a curl command or a HAR file")
    if text.startswith("{"):
        recorded = har.request(text, ours=ours)
        return Asked(recorded.url, recorded.cookie, recorded.method, recorded.headers, recorded.response, recorded.at)
    if text.lstrip("$> ").startswith("curl") or "Invoke-WebRequest" in text:
        found = pasted.request(text)
        return Asked(found.url, found.cookie, found.method, found.headers, cut=found.cut)
    if "." not in text and "/" not in text:
        raise InputError("this is no request: paste a URL from http to its end, a curl command or a HAR file")
    return Asked(text, "")


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{text[:40]!r} is not a time: give seconds since the epoch") from None


def _clock(report: Report, now: float) -> dict[str, object]:
    """Return the range of the clock, around the policy's times and the time of the check."""
    times = dict(report.times)
    expires, starts = times.get("expires"), times.get("starts")
    if expires is None:
        return {"at": int(now), "from": None, "to": None}
    first = min(now, expires if starts is None else starts)
    beside = max(_LEAST_SECONDS, (max(expires, now) - first) * _BESIDE)
    return {"at": int(now), "from": int(first - beside), "to": int(max(expires, now) + beside)}
