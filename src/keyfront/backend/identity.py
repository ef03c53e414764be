"""Who is asking: by a bearer token, or by the demo storefront's session."""

from typing import Final, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from keyfront.backend.purchases import Purchases
from keyfront.backend.tokens import TokenChecker, TokenError
from keyfront.backend.values import Customer

SESSION_CUSTOMER: Final = "customer"
"""Where the session keeps the id of who signed in."""


class Identity(Protocol):
    """One way to tell who is asking."""

    async def identify(self, request: Request) -> Customer | None:
        """The customer; `None` when the request says nothing of this kind. `TokenError` when it says it wrongly."""


class BearerToken:
    """`Authorization: Bearer …`: RFC 6750, section 2.1. The other two ways of that RFC leave tokens in logs."""

    def __init__(self, checker: TokenChecker) -> None:
        self._checker = checker

    async def identify(self, request: Request) -> Customer | None:
        """Whose token the request brings."""
        given = request.headers.getlist("authorization")
        if not given:
            return None
        if len(given) > 1:
            raise TokenError("the request has more than one Authorization header")
        scheme, _, token = given[0].strip().partition(" ")
        if scheme.lower() != "bearer":
            raise TokenError("the Authorization header is not of the form: Bearer TOKEN")
        return await self._checker.customer(token.strip())


class SignedInSession:
    """Who signed in at the demo storefront, as its signed cookie says."""

    def __init__(self, purchases: Purchases) -> None:
        self._purchases = purchases

    async def identify(self, request: Request) -> Customer | None:
        """The customer of the session, if the database still has them."""
        customer_id = request.session.get(SESSION_CUSTOMER)
        if not isinstance(customer_id, str):
            return None
        return await run_in_threadpool(self._purchases.customer, customer_id)
