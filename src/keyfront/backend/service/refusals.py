"""Everything the download service refuses, in words for a person and in slugs for a program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from keyfront.backend.service.values import Customer, Item, ObjectItem

_REALM = 'Bearer realm="downloads"'


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than what was asked for."""

    status: int
    error: str
    """A stable slug."""
    title: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    item: Item | None = None
    """The item that was asked for, if it exists and everybody may know."""


class RefusedError(Exception):
    """Ends the handling of a request with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.error)
        self.refusal = refusal


def sign_in_needed(item: Item | None = None) -> Refusal:
    """Nobody knows who is asking."""
    return Refusal(
        401,
        "sign_in_needed",
        "Please sign in first",
        "Downloads are for the people who bought them, and we cannot tell yet who you are.",
        {"WWW-Authenticate": _REALM},
        item,
    )


def invalid_token(why: str) -> Refusal:
    """A bearer token that does not count: RFC 6750, section 3.1."""
    description = f"The access token cannot be used: {why}"
    header = f'{_REALM}, error="invalid_token", error_description="{_quotable(description)}"'
    return Refusal(401, "invalid_token", "Please sign in again", f"{description}.", {"WWW-Authenticate": header})


def not_bought(customer: Customer, item: Item | ObjectItem) -> Refusal:
    """The item exists, which a shop tells everybody, and is not this customer's."""
    return Refusal(
        403,
        "not_bought",
        "Not in your library",
        f"You are signed in as {customer.name}, who has not bought “{item.title}”. So no link was made for it.",
        item=item if isinstance(item, Item) else None,
    )


def no_such_item() -> Refusal:
    """Nothing of that id is sold here."""
    return Refusal(
        404,
        "no_such_item",
        "We do not have that",
        "Nothing in this shop has that address. It may have been mistyped, or the item was taken out of the catalogue.",
    )


def no_such_page() -> Refusal:
    """Nothing answers at this path."""
    return Refusal(404, "no_such_page", "There is no such page", "Nothing answers at this address.")


def bad_request(why: str) -> Refusal:
    """A request that cannot be understood."""
    return Refusal(400, "bad_request", "That did not make sense to us", why)


def cross_site() -> Refusal:
    """A form that another site sent in the visitor's name."""
    return Refusal(
        403,
        "cross_site",
        "That did not come from this shop",
        "Another page sent this form in your name, so we ignored it.",
    )


def unavailable() -> Refusal:
    """A part that this service needs does not answer. Which one is for the log."""
    return Refusal(
        503,
        "unavailable",
        "We cannot do that just now",
        "A part of the shop does not answer at the moment. Nothing is lost: please try again in a minute.",
        {"Retry-After": "5"},
    )


def broken() -> Refusal:
    """A mistake in how this service is set up. Which one is for the log."""
    return Refusal(
        500,
        "broken",
        "Something is wrong on our side",
        "This is our mistake, not yours, and it has been written down.",
    )


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Refusal:
    """An HTTP error that has no words of its own here."""
    phrase = HTTPStatus(status).phrase
    if status == 404:
        return no_such_page()
    return Refusal(status, phrase.lower().replace(" ", "_"), phrase, f"{phrase}.", headers or {})


def _quotable(text: str) -> str:
    """`text` as it may stand in a quoted header value."""
    return "".join(character if " " <= character <= "~" and character not in '"\\' else "'" for character in text)
