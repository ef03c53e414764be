"""Signed links to objects, valid for a limited time."""

import math
from dataclasses import dataclass, field
from datetime import timedelta

from keyfront.backend.service.cookies import area
from keyfront.backend.service.settings import LinkReuse
from keyfront.core.grants import Reuse
from keyfront.core.objects import object_url
from keyfront.core.signing import Signer


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that opens one object until `expires` (seconds since the epoch)."""

    url: str = field(repr=False)
    """Anyone with it can download: never log it."""
    expires: int


class Links:
    """Makes links to the objects of one distribution, valid for `seconds`.

    With `reuse` a signature is reused for half of that time: for the same file (`file`), or for all files in its folder
    (`area`). Anyone with an `area` link can open the whole folder. A link is valid for at least `seconds` / 2, and a
    key in KMS signs only a few times a minute, for any number of downloads.
    """

    def __init__(self, base_url: str, *, seconds: int, reuse: LinkReuse | None = None) -> None:
        self._base_url = base_url
        self._seconds = seconds
        self._whole_area = reuse == "area"
        self._reuse = Reuse(timedelta(seconds=seconds)) if reuse else None

    def sign(self, signer: Signer, key: str, now: float) -> Link:
        """Return a link to the object `key`, valid from `now` (seconds since the epoch). Blocks while it signs."""
        url = object_url(self._base_url, key)
        if self._reuse is None:
            expires = math.ceil(now + self._seconds)
            return Link(signer.sign_url(url, expires=expires), expires)
        grant = self._reuse.grant(signer, area(self._base_url, key)[0] if self._whole_area else url)
        return Link(grant.url(url), grant.expires)
