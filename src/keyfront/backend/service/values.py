"""The values of the download service: customers and items."""

import re
from dataclasses import dataclass
from typing import Final

from keyfront.errors import InputError

_ITEM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode's categories Cc (controls) and Cs (halves of surrogate pairs)."""
_PRICE = re.compile(r"([0-9]{1,7})(?:\.([0-9]{2}))?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MAX_KEY_BYTES: Final = 1024  # S3 User Guide, "Naming Amazon S3 objects"
_MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer. `id` is a token's subject."""

    id: str
    name: str
    email: str = ""

    def __post_init__(self) -> None:
        if not is_customer_id(self.id):
            raise InputError(
                f"the customer id {self.id[:60]!r} is empty, longer than {_MAX_NAME} characters, or contains control "
                "characters"
            )


@dataclass(frozen=True, slots=True)
class Item:
    """One file for sale."""

    id: str
    """Used in URLs: letters, digits, `.`, `_`, `~` and `-`."""
    title: str
    key: str
    """The object's key in the bucket, which is its path in the distribution: no leading slash, not encoded."""
    kind: str = "file"
    """Such as book, document, audio, video, image, archive: shown, and drawn on its cover."""
    author: str = ""
    description: str = ""
    size: int = 0
    """Bytes."""
    price_cents: int = 0
    """In hundredths of `currency`; 0 is free, but the customer must still add it to the library."""
    currency: str = "EUR"
    """ISO 4217."""

    def __post_init__(self) -> None:
        if not is_item_id(self.id):
            raise InputError(
                f"the item id {self.id[:130]!r} cannot be used in a URL: "
                "write 1 to 128 letters, digits, '.', '_', '~' and '-', beginning with a letter or digit"
            )
        if not self.title or _has_controls(self.title):
            raise InputError(f"item {self.id}: its title is empty or contains control characters")
        if self.size < 0 or self.price_cents < 0:
            raise InputError(f"item {self.id}: its size or its price is negative: give 0 or more")
        if not _CURRENCY.fullmatch(self.currency):
            raise InputError(f"item {self.id}: its currency {self.currency!r} is not an ISO 4217 code such as EUR")
        if wrong := _wrong_key(self.key):
            raise InputError(f"item {self.id}: its key {self.key[:120]!a} {wrong}")


@dataclass(frozen=True, slots=True)
class ObjectItem:
    """A download that is not in a catalogue, named for example by an object's key."""

    id: str
    """As the request named it."""
    key: str

    @property
    def title(self) -> str:
        """The name to show to people."""
        return self.id


def price_in_cents(text: str) -> int:
    """Return the hundredths in a price such as `6.50` or `6`. Raises `InputError` for any other text."""
    found = _PRICE.fullmatch(text)
    if found is None:
        raise InputError(f"the price {text[:40]!r} is not an amount: write it as 6.50, without a currency")
    return int(found[1]) * 100 + int(found[2] or 0)


def is_object_key(text: str) -> bool:
    """Return whether `text` can be the key of an object that a viewer can request."""
    return not _wrong_key(text)


def is_customer_id(text: str) -> bool:
    """Return whether `text` can be a customer's id in a database and in a log line."""
    return 0 < len(text) <= _MAX_NAME and not _has_controls(text)


def is_item_id(text: str) -> bool:
    """Return whether `text` can be an item's id. No database is queried for other texts."""
    return _ITEM_ID.fullmatch(text) is not None


def _wrong_key(key: str) -> str:
    """Return why viewers cannot request an object with this key; empty if they can."""
    if not key:
        return "is empty"
    if key.startswith("/"):
        return "begins with '/': remove it, because keys do not begin with a slash"
    if _has_controls(key):
        return "contains control characters or half a surrogate pair"
    if len(key.encode("utf-8")) > _MAX_KEY_BYTES:
        return f"is longer than {_MAX_KEY_BYTES} bytes"
    if {".", ".."}.intersection(key.split("/")):
        return "contains a '.' or '..' segment, which browsers resolve before they send the request"
    return ""


def _has_controls(text: str) -> bool:
    return _CONTROLS.search(text) is not None
