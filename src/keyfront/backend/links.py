"""Signed links: from an object's key to a URL that opens it for a while."""

import math
from dataclasses import dataclass, field

from keyfront.signing import Signer


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that opens one object until `expires` (seconds since the epoch)."""

    url: str = field(repr=False)
    """Whoever has it can download: it belongs in no log."""
    expires: int


def sign_link(signer: Signer, url: str, *, seconds: int, now: float) -> Link:
    """A link to `url` that is good for `seconds` from `now` (seconds since the epoch), rounded up to a whole one."""
    expires = math.ceil(now + seconds)
    return Link(signer.sign_url(url, expires=expires), expires)
