"""Renders the console's pages from Jinja templates."""

import itertools
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from keyfront import __version__
from keyfront.console.problems import Problem

_HERE: Final = Path(__file__).parent
ASSETS: Final = _HERE / "assets"
_MOST_NOTICES: Final = 100


@dataclass(frozen=True, slots=True)
class Tab:
    """A page in the navigation."""

    path: str
    title: str


TABS: Final = (
    Tab("/keys", "Public keys"),
    Tab("/groups", "Key groups"),
    Tab("/distributions", "Distributions"),
    Tab("/trust", "Who trusts whom"),
    Tab("/link", "Try a link"),
    Tab("/why", "Why 403?"),
    Tab("/live", "Live"),
    Tab("/rotation", "Rotation"),
)


class Pages:
    """The pages of one console."""

    def __init__(self, account: str, csrf: str, *, read_only: bool) -> None:
        """`account` is what the account is called at the top of each page."""
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            account=account, csrf=csrf, read_only=read_only, tabs=TABS, version=__version__, now=_now
        )
        self._environment.filters.update(age=age, clock=clock, plural=plural)
        self._notices: OrderedDict[str, str] = OrderedDict()
        self._numbers = itertools.count(1)

    def html(
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        *,
        problem: Problem | None = None,
        status: int = 200,
    ) -> Response:
        """Return a page. `problem` is what a form's request met; its status becomes the response's."""
        notice = self._notices.get(request.query_params.get("note", ""), "")
        known = {"notice": notice, "problem": problem, "gaps": (), "path": request.url.path}
        text = self._environment.get_template(template).render({**known, **values})
        return HTMLResponse(text, problem.status if problem else status)

    def part(self, template: str, values: Mapping[str, object]) -> str:
        """Return a part of a page."""
        return self._environment.get_template(template).render(values)

    def go(self, path: str, notice: str) -> Response:
        """Return a redirect to a page that shows `notice`."""
        number = str(next(self._numbers))
        self._notices[number] = notice
        if len(self._notices) > _MOST_NOTICES:
            self._notices.popitem(last=False)
        return RedirectResponse(f"{path}{'&' if '?' in path else '?'}note={number}", 303)


def _now() -> datetime:
    return datetime.now(UTC)


def age(then: datetime | float | None) -> str:
    """Return how long ago a time was, in words; `not known` for `None`."""
    if then is None:
        return "not known"
    at = then.timestamp() if isinstance(then, datetime) else then
    seconds = max(0, _now().timestamp() - at)
    for unit, length in (("year", 365 * 86_400), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return plural(int(seconds // length), unit)
    return "just now"


def clock(then: datetime | float | None) -> str:
    """Return a time in UTC, to the second."""
    if then is None:
        return "-"
    at = then if isinstance(then, datetime) else datetime.fromtimestamp(then, UTC)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def plural(number: int, noun: str) -> str:
    """Return a number with its noun: `1 key`, `2 keys`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
