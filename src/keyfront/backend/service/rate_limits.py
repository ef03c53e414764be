"""Rate limits on downloads, links and sign-ins, counted in this process by the library `limits`.

A limit holds for each process: with N workers, a viewer whose connections reach all of them gets up to N times as much.
"""

from __future__ import annotations

import ipaddress
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from keyfront.backend.service.refusals import RefusedError, too_many
from keyfront.errors import InputError

if TYPE_CHECKING:
    from limits import RateLimitItem

_RATE: Final = re.compile(r"[1-9][0-9]{0,6}/(?:second|minute|hour|day)")
_OFF: Final = "off"
_SITE_BITS: Final = 64
"""An IPv6 viewer can choose the other bits: RFC 7421."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The settings of rate limits. The names of the environment's variables are the fields' names in capitals."""

    link_rate: str = "120/minute"
    """Links by `POST /api/links` for one customer."""
    address_rate: str = "1200/minute"
    """Requests to `POST /api/links` from one address."""
    download_rate: str = "600/minute"
    """Requests to `GET /download/…` and `GET /open/…` by one customer, or from one address if nobody signs in."""
    sign_in_rate: str = "30/minute"
    """Refused tokens, and sign-ins, from one address."""

    def __post_init__(self) -> None:
        for each in fields(self):
            given = getattr(self, each.name)
            if given != _OFF and not all(_RATE.fullmatch(part) for part in _parts(given)):
                raise InputError(
                    f"{each.name.upper()} is {given[:60]!r}: write a rate such as 120/minute, several as "
                    "5/second;1000/day, or off"
                )

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Rates:
        """Return the rates in environment variables. Raises `InputError`, which names the variable."""
        names = {each.name: each.name.upper() for each in fields(cls)}
        return cls(**{name: values[variable].lower() for name, variable in names.items() if variable in values})


class RateLimits:
    """Counts events, and refuses those over the limit. In each moving window at most that many are allowed."""

    def __init__(self, rates: Rates) -> None:
        # Imported late: a function on Lambda has no rate limits.
        from limits import parse
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._links, self._addresses, self._downloads, self._sign_ins = (
            [parse(part) for part in _parts(rate)]
            for rate in (rates.link_rate, rates.address_rate, rates.download_rate, rates.sign_in_rate)
        )

    def customer(self, customer_id: str) -> None:
        """Count a link of a customer. Raises `RefusedError` (429) if there were too many."""
        self._count(self._links, "customer", customer_id)

    def address(self, address: str) -> None:
        """Count a request for a link from an address. Raises `RefusedError` (429) if there were too many."""
        self._count(self._addresses, "address", _site(address))

    def download(self, customer_id: str | None, address: str) -> None:
        """Count a download of a customer; if there is none, from an address. Raises `RefusedError` (429)."""
        if customer_id is None:
            self._count(self._downloads, "download from", _site(address))
        else:
            self._count(self._downloads, "download by", customer_id)

    def sign_in(self, address: str) -> None:
        """Count a sign-in, or a refused token, from an address. Raises `RefusedError` (429) if there were too many."""
        self._count(self._sign_ins, "sign-in", _site(address))

    def _count(self, rates: Sequence[RateLimitItem], what: str, who: str) -> None:
        for rate in rates:
            if not self._limiter.hit(rate, what, who):
                free_at = self._limiter.get_window_stats(rate, what, who).reset_time
                raise RefusedError(too_many(max(1, math.ceil(free_at - time.time()))))


def _parts(rate: str) -> list[str]:
    """Return the single rates in `rate`; none for `off`."""
    return [] if rate == _OFF else [part.strip() for part in rate.split(";")]


def _site(address: str) -> str:
    """Return whose address it is: for IPv6 the network of the site, because a viewer there has many addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    bits = _SITE_BITS if found.version == 6 else found.max_prefixlen
    return str(ipaddress.ip_network((found, bits), strict=False))
