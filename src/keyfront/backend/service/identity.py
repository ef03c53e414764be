"""Who is asking: by a bearer token, by what a gateway found in one, or by the demo storefront's session."""

from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from keyfront.backend.service.claims import TokenError, customer_of
from keyfront.backend.service.exchange import Asked, Request, Run
from keyfront.backend.service.values import Customer

if TYPE_CHECKING:
    from starlette.requests import Request as StarletteRequest

    from keyfront.backend.service.purchases import Purchases
    from keyfront.backend.service.tokens import TokenChecker

SESSION_CUSTOMER: Final = "customer"
"""Where the session keeps the id of who signed in."""

R = TypeVar("R", contravariant=True)


class Identity(Protocol[R]):
    """One way to tell who is asking."""

    async def identify(self, request: R, /) -> Customer | None:
        """The customer; `None` when the request says nothing of this kind. `TokenError` when it says it wrongly."""


class BearerToken:
    """`Authorization: Bearer …`: RFC 6750, section 2.1. The other two ways of that RFC leave tokens in logs."""

    def __init__(self, checker: "TokenChecker") -> None:
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

    async def check(self) -> None:
        """Return when tokens can be checked; `ServiceError` otherwise."""
        await self._checker.check()


class GatewayClaims:
    """The claims of a token that the API's own authorizer has checked: issuer, audience, time and signature."""

    async def identify(self, request: Asked) -> Customer | None:
        """The claims' subject."""
        return None if request.claims is None else customer_of(request.claims)


class SignedInSession:
    """Who signed in at the demo storefront, as its signed cookie says."""

    def __init__(self, purchases: "Purchases", run: Run) -> None:
        self._purchases = purchases
        self._run = run

    async def identify(self, request: "StarletteRequest") -> Customer | None:
        """The customer of the session, if the database still has them."""
        customer_id = request.session.get(SESSION_CUSTOMER)
        if not isinstance(customer_id, str):
            return None
        return await self._run(self._purchases.customer, customer_id)
