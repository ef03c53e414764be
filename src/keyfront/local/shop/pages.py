"""Renders the pages from Jinja templates, with filters for prices and sizes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from keyfront.backend.asgi.adapter import ASGIRequest
from keyfront.backend.service.refusals import Refusal
from keyfront.local.shop.covers import cover

_HERE: Final = Path(__file__).parent
STYLESHEET: Final = _HERE / "shop.css"

_SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£"}
_KINDS: Final = {"book": "Book", "document": "Document", "audio": "Audio", "video": "Video", "image": "Picture"}


class Pages:
    """The pages of one shop, with `title` on them."""

    def __init__(self, title: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(shop=title, cover=cover)
        self._environment.filters.update(money=money, size=size, kind=kind, code=code)

    def html(self, request: ASGIRequest, template: str, values: Mapping[str, object]) -> str:
        """Return a page for the customer in `request.state.customer`."""
        known = {"notice": None, "customer": getattr(request.state, "customer", None), "path": request.path}
        return self._environment.get_template(template).render({**known, **values})

    def refusal(self, request: ASGIRequest, refusal: Refusal) -> str:
        """Return the page that says why a request was refused, with links to continue."""
        return self.html(request, "refused.html", {"refusal": refusal})


def money(cents: int, currency: str) -> str:
    """Return a price as text: `€6.50`, `CHF 6.50`, `Free`."""
    if cents == 0:
        return "Free"
    amount = f"{cents // 100:,}.{cents % 100:02}"
    sign = _SIGNS.get(currency)
    return f"{sign}{amount}" if sign else f"{currency} {amount}"


def size(count: int) -> str:
    """Return a size as text: `999 bytes`, `1.2 kB`, `48 MB`."""
    if count < 1000:
        return "1 byte" if count == 1 else f"{count} bytes"
    value, units = float(count), iter(("kB", "MB", "GB", "TB"))
    while True:
        value, unit = value / 1000, next(units)
        if value < 999.5 or unit == "TB":
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"


def kind(name: str) -> str:
    """Return the displayed name of an item's kind."""
    return _KINDS.get(name, name.capitalize())


def code(text: str) -> Markup:
    """Return escaped HTML for a text with `code` in backticks."""
    parts = (f"<code>{escape(part)}</code>" if n % 2 else str(escape(part)) for n, part in enumerate(text.split("`")))
    return Markup("".join(parts))  # noqa: S704  every part of it is escaped
