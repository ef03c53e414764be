"""Pages: Jinja templates, and how prices and sizes are written in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from keyfront.backend.service.covers import cover

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_HERE: Final = Path(__file__).parent
STYLESHEET: Final = _HERE / "assets" / "shop.css"

_SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£"}
_KINDS: Final = {"book": "Book", "document": "Document", "audio": "Audio", "video": "Video", "image": "Picture"}


class Pages:
    """The pages of one shop. With `storefront` they lead to its other pages; without, each stands alone."""

    def __init__(self, shop: str, *, storefront: bool) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(shop=shop, storefront=storefront, cover=cover)
        self._environment.filters.update(money=money, size=size, kind=kind, code=code)

    def html(self, template: str, customer: object, path: str, values: Mapping[str, object]) -> str:
        """A page, for `customer` (`None`: whoever that is) at `path`."""
        return self._environment.get_template(template).render(
            {"notice": None, **values, "customer": customer, "path": path}
        )

    def show(self, request: "Request", template: str, status: int = 200, *, values: Mapping[str, object]) -> "Response":
        """A page as a response, for whoever `request.state.customer` says is looking."""
        from starlette.responses import HTMLResponse

        customer = getattr(request.state, "customer", None)
        return HTMLResponse(self.html(template, customer, request.url.path, values), status)


def money(cents: int, currency: str) -> str:
    """A price: `€6.50`, `CHF 6.50`, `Free`."""
    if cents == 0:
        return "Free"
    amount = f"{cents // 100:,}.{cents % 100:02}"
    sign = _SIGNS.get(currency)
    return f"{sign}{amount}" if sign else f"{currency} {amount}"


def size(count: int) -> str:
    """Bytes as people write them: `999 bytes`, `1.2 kB`, `48 MB`."""
    if count < 1000:
        return "1 byte" if count == 1 else f"{count} bytes"
    value, units = float(count), iter(("kB", "MB", "GB", "TB"))
    while True:
        value, unit = value / 1000, next(units)
        if value < 999.5 or unit == "TB":
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"


def kind(name: str) -> str:
    """What an item is, as it is shown."""
    return _KINDS.get(name, name.capitalize())


def code(text: str) -> Markup:
    """A text in which `code` stands between backticks, escaped."""
    parts = (f"<code>{escape(part)}</code>" if n % 2 else str(escape(part)) for n, part in enumerate(text.split("`")))
    return Markup("".join(parts))  # noqa: S704  every part of it is escaped
