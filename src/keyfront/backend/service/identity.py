"""Identify the customer, from a bearer token or from claims that a gateway has checked."""

from typing import TYPE_CHECKING, Protocol, TypeVar

from keyfront.backend.service.claims import TokenError, customer_of
from keyfront.backend.service.exchange import Request, WholeRequest
from keyfront.backend.service.values import Customer

if TYPE_CHECKING:
    from keyfront.backend.service.tokens import TokenChecker

R = TypeVar("R", contravariant=True)


class Identity(Protocol[R]):
    """One way to identify the customer."""

    async def identify(self, request: R, /) -> Customer | None:
        """Return the customer; `None` if the request has no such credentials. Raises `TokenError` for bad ones."""


class BearerToken:
    """`Authorization: Bearer …`: RFC 6750, section 2.1. The RFC's other two ways leave tokens in logs."""

    def __init__(self, checker: "TokenChecker") -> None:
        self._checker = checker

    async def identify(self, request: Request) -> Customer | None:
        """Return the customer of the request's token."""
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
        """Check that tokens can be checked. Raises `ServiceError` otherwise."""
        await self._checker.check()


class GatewayClaims:
    """The claims of a token that the API's own authorizer has checked: issuer, audience, time and signature."""

    async def identify(self, request: WholeRequest) -> Customer | None:
        """Return the customer in the claims."""
        return None if request.claims is None else customer_of(request.claims)
