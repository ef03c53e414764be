"""The download itself: who is asking, is it theirs, and a signed link if it is."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from keyfront.backend.identity import Identity
from keyfront.backend.links import Link, object_url, sign_link
from keyfront.backend.purchases import Purchases
from keyfront.backend.refusals import RefusedError, invalid_token, no_such_item, not_bought, sign_in_needed
from keyfront.backend.settings import Settings
from keyfront.backend.tokens import TokenError
from keyfront.backend.values import Customer, Item
from keyfront.keystore import KeyStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Downloads:
    """What a download needs. `identities` are asked in their order; `now` is seconds since the epoch."""

    settings: Settings
    keystore: KeyStore
    purchases: Purchases
    identities: Sequence[Identity]
    now: Callable[[], float]

    async def customer(self, request: Request) -> Customer | None:
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

    async def link(self, request: Request, item_id: str) -> tuple[Item, Link]:
        """A signed link to an item that whoever is asking has bought. `RefusedError` otherwise."""
        customer = await self.customer(request)
        if customer is None:
            raise RefusedError(sign_in_needed(await run_in_threadpool(self.purchases.item, item_id)))
        item, bought = await run_in_threadpool(self.purchases.entitlement, customer.id, item_id)
        if item is None:
            raise RefusedError(no_such_item())
        if not bought:
            _log.info("refused: customer %r has not bought item %r", customer.id, item.id)
            raise RefusedError(not_bought(customer, item))
        signer = await self.keystore.signer_async()
        url = object_url(self.settings.base_url, item.key)
        # In a thread: an RSA signature takes most of a millisecond, in which the loop can answer others.
        link = await run_in_threadpool(sign_link, signer, url, seconds=self.settings.link_seconds, now=self.now())
        _log.info("link: customer %r, item %r, for %d s", customer.id, item.id, self.settings.link_seconds)
        return item, link
