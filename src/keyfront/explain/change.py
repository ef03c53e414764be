"""One difference between the bytes that were signed and the request."""

from typing import NamedTuple


class Change(NamedTuple):
    """One difference between the signed bytes and the request."""

    id: str
    """The finding that it proves."""
    text: str
    """The difference in a few words: `http:// was signed`."""
