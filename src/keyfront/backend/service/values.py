"""What the download service talks about: customers, and the items they may buy."""

import re
from dataclasses import dataclass
from typing import Final

from keyfront.errors import InputError

_ITEM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode's categories Cc (controls) and Cs (halves of surrogate pairs)."""
_CURRENCY = re.compile(r"[A-Z]{3}")
_MAX_KEY_BYTES: Final = 1024  # S3 User Guide, "Naming Amazon S3 objects"
_MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who may own items. `id` is what a token's subject says."""

    id: str
    name: str
    email: str = ""

    def __post_init__(self) -> None:
        if not is_customer_id(self.id):
            raise InputError(
                f"the customer id {self.id[:60]!r} is empty, longer than {_MAX_NAME} characters, or holds controls"
            )


@dataclass(frozen=True, slots=True)
class Item:
    """One file for sale."""

    id: str
    """Stands in URLs: letters, digits, `.`, `_`, `~` and `-`."""
    title: str
    key: str
    """The object's key in the bucket, which is its path below the distribution: no slash in front, not encoded."""
    kind: str = "file"
    """What it is, such as book, document, audio, video, image, archive: shown, and drawn on its cover."""
    author: str = ""
    description: str = ""
    size: int = 0
    """Bytes."""
    price_cents: int = 0
    """In hundredths of `currency`; 0 is free, and still has to be taken into the library."""
    currency: str = "EUR"
    """ISO 4217."""

    def __post_init__(self) -> None:
        if not is_item_id(self.id):
            raise InputError(
                f"the item id {self.id[:130]!r} cannot stand in a URL: "
                "write 1 to 128 letters, digits, '.', '_', '~' and '-', beginning with a letter or digit"
            )
        if not self.title or _has_controls(self.title):
            raise InputError(f"item {self.id}: its title is empty or holds control characters")
        if self.size < 0 or self.price_cents < 0:
            raise InputError(f"item {self.id}: its size and its price cannot be negative")
        if not _CURRENCY.fullmatch(self.currency):
            raise InputError(f"item {self.id}: its currency {self.currency!r} is not an ISO 4217 code such as EUR")
        if wrong := _wrong_key(self.key):
            raise InputError(f"item {self.id}: its key {self.key[:120]!a} {wrong}")


@dataclass(frozen=True, slots=True)
class ObjectItem:
    """What is downloaded by a name that is in no catalogue, such as an object's key."""

    id: str
    """As it was asked for."""
    key: str

    @property
    def title(self) -> str:
        """What it is called in a sentence."""
        return self.id


def is_object_key(text: str) -> bool:
    """Whether `text` can be the key of an object that a viewer can ask for."""
    return not _wrong_key(text)


def is_customer_id(text: str) -> bool:
    """Whether `text` can be a customer's id, and stand in a database and in a log line."""
    return 0 < len(text) <= _MAX_NAME and not _has_controls(text)


def is_item_id(text: str) -> bool:
    """Whether `text` can be an item's id. What cannot is asked of no database."""
    return _ITEM_ID.fullmatch(text) is not None


def _wrong_key(key: str) -> str:
    """What keeps viewers from asking for an object of this key; empty when nothing does."""
    if not key:
        return "is empty"
    if key.startswith("/"):
        return "begins with '/': leave it out, keys do not begin with one"
    if _has_controls(key):
        return "holds control characters or half a surrogate pair"
    if len(key.encode("utf-8")) > _MAX_KEY_BYTES:
        return f"is longer than {_MAX_KEY_BYTES} bytes"
    if {".", ".."}.intersection(key.split("/")):
        return "holds a '.' or '..' segment: browsers resolve it before they ask"
    return ""


def _has_controls(text: str) -> bool:
    return _CONTROLS.search(text) is not None
