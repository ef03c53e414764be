"""A link as a person pasted it: what it was before other programs changed it, and what they changed."""

from dataclasses import dataclass
from typing import NamedTuple


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
