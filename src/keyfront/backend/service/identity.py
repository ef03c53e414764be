"""Who is asking: by a bearer token, or by what a gateway found in one."""

from typing import TYPE_CHECKING, Protocol, TypeVar

from keyfront.backend.service.claims import TokenError, customer_of
from keyfront.backend.service.exchange import Request, WholeRequest
from keyfront.backend.service.values import Customer

if TYPE_CHECKING:
    from keyfront.backend.service.tokens import TokenChecker

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

    async def identify(self, request: WholeRequest) -> Customer | None:
        """The claims' subject."""
        return None if request.claims is None else customer_of(request.claims)
