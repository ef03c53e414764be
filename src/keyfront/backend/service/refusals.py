"""The refusals of the download service: a text for people, a slug for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from keyfront.backend.service.values import Customer, Item, ObjectItem

_REALM = 'Bearer realm="downloads"'
_MESSAGES = {
    405: "This address does not accept this method.",
    413: "The body is too long.",
    415: "The body must be JSON: send it with Content-Type: application/json.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request: its status, and the texts that explain it."""

    status: int
    error: str
    """A stable slug."""
    title: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    item: Item | None = None
    """The requested item, if it exists and is public knowledge."""


class RefusedError(Exception):
    """Raised to end a request with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.error)
        self.refusal = refusal


def sign_in_needed(item: Item | None = None) -> Refusal:
    """Return the refusal for a request without a customer."""
    return Refusal(
        401,
        "sign_in_needed",
        "Please sign in first",
        "You are not signed in. Only customers who bought an item can download it.",
        {"WWW-Authenticate": _REALM},
        item,
    )


def invalid_token(why: str) -> Refusal:
    """Return the refusal for a bearer token that is not valid: RFC 6750, section 3.1."""
    description = f"The access token is not valid: {why}"
    header = f'{_REALM}, error="invalid_token", error_description="{_quotable(description)}"'
    return Refusal(401, "invalid_token", "Please sign in again", f"{description}.", {"WWW-Authenticate": header})


def not_bought(customer: Customer, item: Item | ObjectItem) -> Refusal:
    """Return the refusal for an item that exists, but that this customer has not bought."""
    return Refusal(
        403,
        "not_bought",
        "Not in your library",
        f"You are signed in as {customer.name}, who has not bought “{item.title}”. Only customers who bought it can "
        "download it.",
        item=item if isinstance(item, Item) else None,
    )


def no_such_item() -> Refusal:
    """Return the refusal for an item that does not exist."""
    return Refusal(
        404,
        "no_such_item",
        "Item not found",
        "There is no item at this address. The address may be mistyped, or the item was removed from the catalogue.",
    )


def no_such_page() -> Refusal:
    """Return the refusal for a path without a page."""
    return Refusal(404, "no_such_page", "Page not found", "There is no page at this address.")


def bad_request(why: str) -> Refusal:
    """Return the refusal for a request that cannot be understood."""
    return Refusal(400, "bad_request", "The request is not valid", why)


def cross_site() -> Refusal:
    """Return the refusal for a form that another site sent in the visitor's name."""
    return Refusal(
        403,
        "cross_site",
        "This form came from another site",
        "Another page sent this form in your name, so we ignored it.",
    )


def too_many(seconds: int) -> Refusal:
    """Return the refusal for a request that exceeds a rate limit, and succeeds again after some seconds."""
    return Refusal(
        429,
        "too_many_requests",
        "Too many requests",
        f"You sent too many requests. Please try again in {seconds} {'second' if seconds == 1 else 'seconds'}.",
        {"Retry-After": str(seconds)},
    )


def unavailable() -> Refusal:
    """Return the refusal if a part that this service needs does not answer. The log names the part."""
    return Refusal(
        503,
        "unavailable",
        "Temporarily unavailable",
        "A part of this service is not responding. Nothing is lost. Please try again in a minute.",
        {"Retry-After": "5"},
    )


def broken() -> Refusal:
    """Return the refusal if this service is set up wrongly. The log has the details."""
    return Refusal(
        500,
        "broken",
        "Something is wrong on our side",
        "This is our mistake, not yours. Our log has the details.",
    )


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Refusal:
    """Return the refusal for an HTTP error, with the status's phrase as its title."""
    # Python 3.13 renames 413, and a slug is stable.
    phrase = "Request Entity Too Large" if status == 413 else HTTPStatus(status).phrase
    if status == 404:
        return no_such_page()
    message = _MESSAGES.get(status, f"{phrase}.")
    return Refusal(status, phrase.lower().replace(" ", "_"), phrase.capitalize(), message, headers or {})


def _quotable(text: str) -> str:
    """Return `text` in a form that a quoted header value may contain."""
    return "".join(character if " " <= character <= "~" and character not in '"\\' else "'" for character in text)
