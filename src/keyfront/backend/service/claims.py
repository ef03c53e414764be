"""The customer in a token's claims."""

from collections.abc import Mapping

from keyfront.backend.service.values import Customer, is_customer_id
from keyfront.errors import InputError


class TokenError(InputError):
    """A token that does not identify a customer. Its text may be shown to the sender."""


def customer_of(claims: Mapping[str, object]) -> Customer:
    """Return the customer in a token's claims: the subject is the customer's id. Raises `TokenError`."""
    subject, name = claims.get("sub"), claims.get("name")
    if not isinstance(subject, str) or not is_customer_id(subject):
        raise TokenError("its subject (sub) is not a valid customer id")
    return Customer(subject, name if isinstance(name, str) and is_customer_id(name) else subject)
