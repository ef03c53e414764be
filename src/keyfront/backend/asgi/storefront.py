"""The demo's storefront: a small shop in which anybody signs in as any customer and buys for nothing.

It exists to show the download service, and is mounted only by code that asks for it.
"""

import math
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from keyfront.backend.asgi.refused_links import explain_link, ours
from keyfront.backend.service.downloads import Downloads
from keyfront.backend.service.identity import SESSION_CUSTOMER
from keyfront.backend.service.pages import Pages
from keyfront.backend.service.purchases import Purchases
from keyfront.backend.service.refusals import RefusedError, bad_request, no_such_item
from keyfront.backend.service.values import Item

_PER_PAGE: Final = 24
_MAX_SEARCH: Final = 80
_NOTICE: Final = "notice"
# Where a sign-in may lead back to: our own pages and nothing else. Not to a download either, because that redirects
# to another host, which Chromium holds to be part of the form's action.
_WAY_BACK: Final = re.compile(r"/|/library|/items/[A-Za-z0-9._~-]{1,128}")


class Storefront:
    """The shop's pages."""

    def __init__(self, downloads: Downloads[Request], purchases: Purchases, pages: Pages) -> None:
        self._downloads = downloads
        self._purchases = purchases
        self._pages = pages

    def routes(self) -> list[Route]:
        """What to mount."""
        return [
            Route("/", self.catalogue),
            Route("/items/{item}", self.item),
            Route("/items/{item}/buy", self.buy, methods=["POST"]),
            Route("/library", self.library),
            Route("/sign-in", self.sign_in, methods=["GET"]),
            Route("/sign-in", self.signed_in, methods=["POST"]),
            Route("/refused", self.refused, methods=["GET", "POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def catalogue(self, request: Request) -> Response:
        """What is for sale, a page at a time."""
        customer = await self._downloads.customer(request)
        search = _searched(request.query_params.get("q", ""))
        found = await self._downloads.run(self._purchases.items, search=search, limit=_PER_PAGE)
        pages = max(1, math.ceil(found.total / _PER_PAGE))
        page = min(_number(request.query_params.get("page", "")), pages)
        if page > 1:
            offset = (page - 1) * _PER_PAGE
            found = await self._downloads.run(self._purchases.items, search=search, offset=offset, limit=_PER_PAGE)
        shown = [item.id for item in found.items]
        owned = await self._downloads.run(self._purchases.owned, customer.id, shown) if customer else frozenset()
        return self._show(
            request,
            "catalogue.html",
            items=found.items,
            total=found.total,
            owned=owned,
            search=search,
            page=page,
            pages=pages,
        )

    async def item(self, request: Request) -> Response:
        """One item."""
        customer = await self._downloads.customer(request)
        wanted = request.path_params["item"]
        if customer is None:
            item, owned = await self._downloads.run(self._purchases.item, wanted), False
        else:
            item, owned = await self._downloads.run(self._purchases.entitlement, customer.id, wanted)
        if item is None:
            raise RefusedError(no_such_item())
        seconds = self._downloads.settings.link_seconds
        return self._show(request, "item.html", item=item, owned=owned, link_seconds=seconds)

    async def library(self, request: Request) -> Response:
        """What whoever is signed in has bought."""
        customer = await self._downloads.customer(request)
        if customer is None:
            return RedirectResponse("/sign-in?next=/library", 303)
        items = await self._downloads.run(self._purchases.library, customer.id)
        return self._show(request, "library.html", items=items)

    async def buy(self, request: Request) -> Response:
        """Put an item into the library."""
        customer = await self._downloads.customer(request)
        item = await self._downloads.run(self._purchases.item, request.path_params["item"])
        if item is None:
            raise RefusedError(no_such_item())
        here = f"/items/{item.id}"
        if customer is None:
            return RedirectResponse(f"/sign-in?next={here}", 303)
        new = await self._downloads.run(self._purchases.record, customer, item.id)
        request.session[_NOTICE] = _bought(item) if new else f"“{item.title}” was in your library already."
        return RedirectResponse(here, 303)

    async def sign_in(self, request: Request) -> Response:
        """Who one can sign in as."""
        await self._downloads.customer(request)
        customers = await self._downloads.run(self._purchases.customers)
        back = _way_back(request.query_params.get("next", ""))
        return self._show(request, "sign_in.html", customers=customers, back=back)

    async def signed_in(self, request: Request) -> Response:
        """Sign in as the customer whose button was pressed."""
        form = await request.form(max_files=0, max_fields=4)
        chosen, back = form.get("customer"), form.get("next")
        customer = await self._downloads.run(self._purchases.customer, chosen) if isinstance(chosen, str) else None
        if customer is None:
            raise RefusedError(bad_request("There is no such customer: choose one on the sign-in page."))
        request.session.clear()
        request.session[SESSION_CUSTOMER] = customer.id
        return RedirectResponse(_way_back(back if isinstance(back, str) else ""), 303)

    async def refused(self, request: Request) -> Response:
        """Why a download link does not open its file. The link comes in a form's body: it belongs in no log."""
        await self._downloads.customer(request)
        if request.method != "POST":
            return self._show(request, "explained.html", link="", explained=None)
        form = await request.form(max_files=0, max_fields=2)
        given = form.get("link")
        link = ours(given if isinstance(given, str) else "", self._downloads.settings.base_url)
        signer = await self._downloads.run(self._downloads.signer)
        keys = {signer.key_pair_id: signer.key.public_key}
        explained = await self._downloads.run(explain_link, link, keys=keys, now=self._downloads.now())
        return self._show(request, "explained.html", link=link, explained=explained)

    async def sign_out(self, request: Request) -> Response:
        """Forget who is signed in."""
        request.session.clear()
        return RedirectResponse("/", 303)

    def _show(self, request: Request, template: str, **values: object) -> Response:
        # Looked at first: taking it out would set a cookie on everybody's every page.
        notice = request.session.pop(_NOTICE) if _NOTICE in request.session else None
        return self._pages.show(request, template, values={**values, "notice": notice})


def _bought(item: Item) -> str:
    return f"“{item.title}” is yours. You can download it as often as you like."


def _way_back(path: str) -> str:
    return path if _WAY_BACK.fullmatch(path) else "/"


def _searched(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_MAX_SEARCH].strip()


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text) else 1
