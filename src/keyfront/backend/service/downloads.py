"""A download: identify the customer, check the purchase, then make a signed link or signed cookies."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from keyfront.backend.service.claims import TokenError
from keyfront.backend.service.cookies import Opened, open_area
from keyfront.backend.service.entitlements import Entitlements
from keyfront.backend.service.exchange import Request, Run
from keyfront.backend.service.identity import Identity
from keyfront.backend.service.links import Link, Links
from keyfront.backend.service.rate_limits import RateLimits
from keyfront.backend.service.refusals import (
    RefusedError,
    invalid_token,
    no_such_item,
    no_such_page,
    not_bought,
    sign_in_needed,
)
from keyfront.backend.service.settings import Settings
from keyfront.backend.service.values import Customer, Item, ObjectItem, is_item_id
from keyfront.core.signing import Signer

_log = logging.getLogger(__name__)

R = TypeVar("R", bound=Request)
T = TypeVar("T")


async def in_turn(*whats: Awaitable[T]) -> list[T]:
    """Await `whats` one after the other and return their results, for code without an event loop."""
    return [await what for what in whats]


@dataclass(frozen=True)
class Downloads(Generic[R]):
    """The parts that a download needs. `identities` are asked in order; `now` returns seconds since the epoch."""

    settings: Settings
    signer: Callable[[], Signer]
    """Blocks while the first key is fetched."""
    entitlements: Entitlements
    identities: Sequence[Identity[R]]
    now: Callable[[], float]
    run: Run
    limits: RateLimits | None = None
    """If not given, rates are not limited."""
    together: Callable[..., Awaitable[list[bool]]] = in_turn
    """Awaits several coroutines, as `asyncio.gather` does."""
    _links: Links = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        links = Links(settings.base_url, seconds=settings.link_seconds, reuse=settings.link_reuse)
        object.__setattr__(self, "_links", links)

    async def customer(self, request: R) -> Customer | None:
        """Return the customer of a request, or `None`. Raises `RefusedError` for a token that is not valid."""
        for identity in self.identities:
            try:
                customer = await identity.identify(request)
            except TokenError as error:
                _log.info("token refused: %s", error)
                self.count_sign_in(request)
                raise RefusedError(invalid_token(str(error))) from None
            if customer is not None:
                # A refusal page may show it.
                request.state.customer = customer
                return customer
        return None

    def count_sign_in(self, request: R) -> None:
        """Count an attempt to sign in. Raises `RefusedError` if its address has made too many."""
        if self.limits is not None:
            self.limits.sign_in(request.address)

    async def link(self, request: R, item_id: str, *, for_program: bool = False) -> tuple[Item | ObjectItem, Link]:
        """Return a signed link to an item that the customer has bought. Raises `RefusedError` otherwise.

        Links for programs have their own rate limits.
        """
        if for_program and self.limits is not None:
            self.limits.address(request.address)
        customer = await self._asking(request, item_id)
        if not for_program:
            self._count(request, customer)
        elif self.limits is not None and customer is not None:
            self.limits.customer(customer.id)
        # One trip to a thread: the trip costs as much as the query. An RSA signature takes most of a millisecond, in
        # which the loop can answer other requests.
        return await self.run(self._linked, customer, item_id)

    async def cookies(self, request: R, item_id: str) -> Opened:
        """Return signed cookies for the area of an item (see `keyfront.backend.service.cookies`).

        Raises `RefusedError` if the customer has not bought it, and `InputError` if a browser would not send the
        cookies to the distribution.
        """
        customer = await self._asking(request, item_id)
        self._count(request, customer)
        return await self.run(self._opened, customer, item_id, request.headers.get("host", ""))

    def _count(self, request: R, customer: Customer | None) -> None:
        """Count a download. Raises `RefusedError` if there were too many."""
        if self.limits is not None:
            self.limits.download(customer.id if customer else None, request.address)

    def _linked(self, customer: Customer | None, item_id: str) -> tuple[Item | ObjectItem, Link]:
        item = self._owned(customer, item_id)
        link = self._links.sign(self.signer(), item.key, self.now())
        self._note("link", customer, item, self.settings.link_seconds)
        return item, link

    def _opened(self, customer: Customer | None, item_id: str, host: str) -> Opened:
        item, settings = self._owned(customer, item_id), self.settings
        opened = open_area(
            self.signer(),
            settings.base_url,
            item.key,
            host=host,
            domain=settings.cookie_domain,
            seconds=settings.cookie_seconds,
            now=self.now(),
        )
        self._note("cookies", customer, item, settings.cookie_seconds)
        return opened

    async def _asking(self, request: R, item_id: str) -> Customer | None:
        """Return the customer who asks for the item. Raises `RefusedError` if the request cannot succeed."""
        if not is_item_id(item_id) and not self.entitlements.object_keys:
            raise RefusedError(no_such_page() if "/" in item_id else no_such_item())
        customer = await self.customer(request)
        if customer is None and not self.entitlements.anonymous:
            raise RefusedError(sign_in_needed(await self.run(self.entitlements.item, item_id)))
        return customer

    def _owned(self, customer: Customer | None, item_id: str) -> Item | ObjectItem:
        item, bought = self.entitlements.entitlement(customer.id if customer else None, item_id)
        if item is None:
            raise RefusedError(no_such_item())
        if bought:
            return item
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
