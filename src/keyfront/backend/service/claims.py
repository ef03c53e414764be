"""What a token says of a customer."""

from collections.abc import Mapping

from keyfront.backend.service.values import Customer, is_customer_id
from keyfront.errors import InputError


class TokenError(InputError):
    """A token that does not say who somebody is. Its text may be shown to whoever sent it."""


def customer_of(claims: Mapping[str, object]) -> Customer:
    """Whom a token's claims speak of: its subject is the customer's id. Raises `TokenError`."""
    subject, name = claims.get("sub"), claims.get("name")
    if not isinstance(subject, str) or not is_customer_id(subject):
        raise TokenError("its subject (sub) is not a customer's id")
    return Customer(subject, name if isinstance(name, str) and is_customer_id(name) else subject)
