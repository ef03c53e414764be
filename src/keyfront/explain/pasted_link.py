"""A link as a person pasted it: what it was before other programs changed it, and what they changed."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from keyfront.core.credentials import credentials
from keyfront.explain.base64_readings import strict

_ORDINARY: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?/[A-Za-z0-9._~/-]*\?[A-Za-z0-9_~&=-]+")
_ID: Final = re.compile(r"(?:K|APKA)[A-Z0-9]{9,}")


class Repair(NamedTuple):
    """One change that was undone."""

    id: str
    """The finding that tells it."""
    text: str
    """The change in a few words, without any value: `=3D stood for =`."""


@dataclass(frozen=True, slots=True)
class PastedLink:
    """A link, and how it was found in what a person pasted."""

    url: str
    """The link as the signer made it, as far as the text shows."""
    sent: str = ""
    """The URL that a browser would send for the text as it was pasted; empty if the text is not a link."""
    repairs: tuple[Repair, ...] = ()
    harmless: bool = True
    """Whether a browser would make the same request for the text as it was pasted."""
    lost: str = ""
    """The part that is missing, in a few words; empty if the link is whole."""


def is_as_made(text: str) -> bool:
    """Return whether `text` is a signed link in which nothing can have been changed, so that it needs no repair."""
    if not _ORDINARY.fullmatch(text):
        return False
    given, _ = credentials(text, "")
    whole = all(strict(given[name]) is not None for name in ("Policy", "Signature") if name in given)
    return whole and "Signature" in given and _ID.fullmatch(given.get("Key-Pair-Id", "")) is not None
