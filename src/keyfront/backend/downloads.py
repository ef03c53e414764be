"""The download itself: who is asking, is it theirs, and a signed link or signed cookies if it is."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, ParamSpec, Protocol, TypeVar

from keyfront.backend.cookies import Opened, open_area
from keyfront.backend.entitlements import Entitlements
from keyfront.backend.exchange import Request
from keyfront.backend.identity import Identity, TokenError
from keyfront.backend.links import Link, Links
from keyfront.backend.refusals import (
    RefusedError,
    invalid_token,
    no_such_item,
    no_such_page,
    not_bought,
    sign_in_needed,
)
from keyfront.backend.settings import Settings
from keyfront.backend.values import Customer, Item, ObjectItem, is_item_id
from keyfront.signing import Signer

_log = logging.getLogger(__name__)

R = TypeVar("R", bound=Request)
T = TypeVar("T")
P = ParamSpec("P")


class Run(Protocol):
    """Runs what blocks: in a thread beside an event loop, or at once where one request is served at a time."""

    def __call__(self, function: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> Awaitable[T]:
        """The function's result."""


@dataclass(frozen=True)
class Downloads(Generic[R]):
    """What a download needs. `identities` are asked in their order; `now` is seconds since the epoch."""

    settings: Settings
    signer: Callable[[], Awaitable[Signer]]
    entitlements: Entitlements
    identities: Sequence[Identity[R]]
    now: Callable[[], float]
    run: Run
    _links: Links = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        links = Links(settings.base_url, seconds=settings.link_seconds, reuse=settings.link_reuse)
        object.__setattr__(self, "_links", links)

    async def customer(self, request: R) -> Customer | None:
        """Who is asking; `RefusedError` for a token that does not count, even when a session could speak for them."""
        for identity in self.identities:
            try:
                customer = await identity.identify(request)
            except TokenError as error:
                _log.info("token refused: %s", error)
                raise RefusedError(invalid_token(str(error))) from None
            if customer is not None:
                # For the page that a later refusal may become.
                request.state.customer = customer
                return customer
        return None

    async def link(self, request: R, item_id: str) -> tuple[Item | ObjectItem, Link]:
        """A signed link to an item that whoever is asking has bought. `RefusedError` otherwise."""
        customer, item = await self._entitled(request, item_id)
        signer = await self.signer()
        # In a thread: an RSA signature takes most of a millisecond, in which the loop can answer others.
        link = await self.run(self._links.sign, signer, item.key, self.now())
        self._note("link", customer, item, self.settings.link_seconds)
        return item, link

    async def cookies(self, request: R, item_id: str) -> Opened:
        """Signed cookies for the area of an item (see `keyfront.backend.cookies`). `RefusedError` otherwise.

        Raises `InputError` when a browser would not bring them to the distribution.
        """
        customer, item = await self._entitled(request, item_id)
        signer, settings = await self.signer(), self.settings
        opened = await self.run(
            open_area,
            signer,
            settings.base_url,
            item.key,
            host=request.headers.get("host", ""),
            domain=settings.cookie_domain,
            seconds=settings.cookie_seconds,
            now=self.now(),
        )
        self._note("cookies", customer, item, settings.cookie_seconds)
        return opened

    async def _entitled(self, request: R, item_id: str) -> tuple[Customer | None, Item | ObjectItem]:
        if not is_item_id(item_id) and not self.entitlements.object_keys:
            raise RefusedError(no_such_page() if "/" in item_id else no_such_item())
        customer = await self.customer(request)
        if customer is None and not self.entitlements.anonymous:
            raise RefusedError(sign_in_needed(await self.run(self.entitlements.item, item_id)))
        customer_id = customer.id if customer else None
        item, bought = await self.run(self.entitlements.entitlement, customer_id, item_id)
        if item is None:
            raise RefusedError(no_such_item())
        if bought:
            return customer, item
        if customer is None:
            raise RefusedError(sign_in_needed())
        _log.info(
            "refused: customer %r has not bought item %r",
            customer.id,
            item.id,
            extra={"customer": customer.id, "item": item.id},
        )
        raise RefusedError(not_bought(customer, item))

    def _note(self, what: str, customer: Customer | None, item: Item | ObjectItem, seconds: int) -> None:
        name = customer.id if customer else None
        facts = {"customer": name, "item": item.id, "seconds": seconds}
        _log.info("%s: customer %r, item %r, for %d s", what, name, item.id, seconds, extra=facts)
