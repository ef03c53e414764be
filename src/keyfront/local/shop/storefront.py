"""The storefront: a small shop where everybody can sign in as any customer without a password, and buy for free."""

import hashlib
import math
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from keyfront.backend.asgi.adapter import ASGIRequest
from keyfront.backend.service.downloads import Downloads
from keyfront.backend.service.exchange import Run, ServiceResponse
from keyfront.backend.service.purchases import Page, Purchases
from keyfront.backend.service.refusals import RefusedError, bad_request, no_such_item
from keyfront.backend.service.router import Address
from keyfront.backend.service.values import Customer, Item
from keyfront.local.shop.browsing import ORDERS, Folder, View, folders_of, neighbours
from keyfront.local.shop.pages import STYLESHEET, Pages
from keyfront.local.shop.refused_links import explain_link, ours

_PER_PAGE: Final = 24
_MOST_FIELDS: Final = 4
_NOTICE: Final = "notice"
_CUSTOMER: Final = "customer"
"""The session key for the id of the signed-in customer."""
# A sign-in may return only to these pages. Not to a download, because that redirects to another host, which Chromium
# counts as part of the form's action.
_WAY_BACK: Final = re.compile(r"/|/library|/items/[A-Za-z0-9._~-]{1,128}")


class SignedIn:
    """Identifies the customer by the storefront's signed cookie."""

    def __init__(self, purchases: Purchases, run: Run) -> None:
        self._purchases = purchases
        self._run = run

    async def identify(self, request: ASGIRequest) -> Customer | None:
        """Return the customer of the session, if the database still has them."""
        customer_id = request.session.get(_CUSTOMER)
        if not isinstance(customer_id, str):
            return None
        return await self._run(self._purchases.customer, customer_id)


class Storefront:
    """The shop's pages."""

    def __init__(
        self,
        downloads: Downloads[ASGIRequest],
        purchases: Purchases,
        pages: Pages,
        refresh: Callable[[], None] | None = None,
    ) -> None:
        self._downloads = downloads
        self._purchases = purchases
        self._pages = pages
        self._refresh = refresh
        self._style = STYLESHEET.read_bytes()
        self._style_tag = f'"{hashlib.sha256(self._style).hexdigest()[:32]}"'
        self.addresses = (
            Address("/", "GET", self.catalogue),
            Address("/items/{item}/buy", "POST", self.buy),
            Address("/items/{item}", "GET", self.item),
            Address("/library", "GET", self.library),
            Address("/sign-in", "GET", self.sign_in),
            Address("/sign-in", "POST", self.signed_in),
            Address("/refused", "GET", self.ask_why),
            Address("/refused", "POST", self.explain),
            Address("/sign-out", "POST", self.sign_out),
            Address("/assets/shop.css", "GET", self.style),
        )

    async def catalogue(self, request: ASGIRequest, _: str, __: bytes) -> ServiceResponse:
        """Show the items for sale, in pages, with the folders that they are in."""
        customer, run = await self._downloads.customer(request), self._downloads.run
        view = View.of(request.query_params)
        found, folders = await run(self._found, view)
        pages = max(1, math.ceil(found.total / _PER_PAGE))
        if view.page > pages:
            view = view.at(pages)
            found, folders = await run(self._found, view)
        shown = [item.id for item in found.items]
        owned = await run(self._purchases.owned, customer.id, shown) if customer else frozenset()
        values = {"items": found.items, "total": found.total, "owned": owned, "folders": folders, "orders": ORDERS}
        return self._show(request, "catalogue.html", **values, view=view, pages=pages)

    def _found(self, view: View) -> tuple[Page, tuple[Folder, ...]]:
        """Return the items of a view, and the folders in its folder. Blocks."""
        if self._refresh is not None:
            self._refresh()
        offset = (view.page - 1) * _PER_PAGE
        found = self._purchases.items(
            search=view.search, folder=view.folder, order=view.order, offset=offset, limit=_PER_PAGE
        )
        return found, () if view.search else folders_of(self._purchases.keys().values(), view.folder)

    async def item(self, request: ASGIRequest, wanted: str, _: bytes) -> ServiceResponse:
        """Show one item."""
        customer = await self._downloads.customer(request)
        asking = customer.id if customer else None
        item, owned = await self._downloads.run(self._purchases.entitlement, asking, wanted)
        if item is None:
            raise RefusedError(no_such_item())
        seconds = self._downloads.settings.link_seconds
        before, after = neighbours(list(await self._downloads.run(self._purchases.keys)), item.id)
        values = {"owned": owned, "link_seconds": seconds, "before": before, "after": after}
        return self._show(request, "item.html", item=item, **values)

    async def library(self, request: ASGIRequest, _: str, __: bytes) -> ServiceResponse:
        """Show the items that the signed-in customer has bought."""
        customer = await self._downloads.customer(request)
        if customer is None:
            return _see("/sign-in?next=/library")
        items = await self._downloads.run(self._purchases.library, customer.id)
        return self._show(request, "library.html", items=items)

    async def buy(self, request: ASGIRequest, wanted: str, _: bytes) -> ServiceResponse:
        """Add an item to the customer's library."""
        customer = await self._downloads.customer(request)
        item = await self._downloads.run(self._purchases.item, wanted)
        if item is None:
            raise RefusedError(no_such_item())
        here = f"/items/{item.id}"
        if customer is None:
            return _see(f"/sign-in?next={here}")
        new = await self._downloads.run(self._purchases.record, customer, item.id)
        request.session[_NOTICE] = _bought(item) if new else f"“{item.title}” is already in your library."
        return _see(here)

    async def sign_in(self, request: ASGIRequest, _: str, __: bytes) -> ServiceResponse:
        """Show the customers to sign in as."""
        await self._downloads.customer(request)
        customers = await self._downloads.run(self._purchases.customers)
        back = _way_back(request.query_params.get("next", ""))
        return self._show(request, "sign_in.html", customers=customers, back=back)

    async def signed_in(self, request: ASGIRequest, _: str, body: bytes) -> ServiceResponse:
        """Sign in as the customer whose button was pressed."""
        self._downloads.count_sign_in(request)
        form = _form(body)
        customer = await self._downloads.run(self._purchases.customer, form.get("customer", ""))
        if customer is None:
            raise RefusedError(bad_request("This customer does not exist. Choose one on the sign-in page."))
        request.session.clear()
        request.session[_CUSTOMER] = customer.id
        return _see(_way_back(form.get("next", "")))

    async def ask_why(self, request: ASGIRequest, _: str, __: bytes) -> ServiceResponse:
        """Show the form for a refused link."""
        await self._downloads.customer(request)
        return self._show(request, "explained.html", link="", explained=None)

    async def explain(self, request: ASGIRequest, _: str, body: bytes) -> ServiceResponse:
        """Explain why a download link does not open its file. The link is in the form's body, so no log contains it."""
        await self._downloads.customer(request)
        link = ours(_form(body).get("link", ""), self._downloads.settings.base_url)
        signer = await self._downloads.run(self._downloads.signer)
        keys = {signer.key_pair_id: signer.key.public_key}
        explained = await self._downloads.run(explain_link, link, keys=keys, now=self._downloads.now())
        return self._show(request, "explained.html", link=link, explained=explained)

    async def sign_out(self, request: ASGIRequest, _: str, __: bytes) -> ServiceResponse:
        """Sign out."""
        request.session.clear()
        return _see("/")

    async def style(self, request: ASGIRequest, _: str, __: bytes) -> ServiceResponse:
        """Send the stylesheet. Browsers cache it but revalidate it each time, so pages never have an old version."""
        headers = (("cache-control", "no-cache"), ("etag", self._style_tag))
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if self._style_tag in known:
            return ServiceResponse(304, headers)
        return ServiceResponse(200, (("content-type", "text/css; charset=utf-8"), *headers), self._style)

    def _show(self, request: ASGIRequest, template: str, **values: object) -> ServiceResponse:
        # Check first, because `pop` would set a cookie on every page.
        notice = request.session.pop(_NOTICE) if _NOTICE in request.session else None
        page = self._pages.html(request, template, {**values, "notice": notice})
        return ServiceResponse(200, (("content-type", "text/html; charset=utf-8"),), page.encode())


def _see(path: str) -> ServiceResponse:
    return ServiceResponse(303, (("location", path),))


def _form(body: bytes) -> dict[str, str]:
    """Return a form's fields, the last of each name. Raises `RefusedError` if there are too many."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RefusedError(bad_request("This is not a form of this shop.")) from None
    return {name: values[-1] for name, values in fields.items()}


def _bought(item: Item) -> str:
    return f"“{item.title}” is yours. You can download it as often as you like."


def _way_back(path: str) -> str:
    return path if _WAY_BACK.fullmatch(path) else "/"
