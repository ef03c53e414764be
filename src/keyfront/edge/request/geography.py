"""Geo restriction: whether a distribution refuses a viewer because of the viewer's country.

There is no database of addresses. The edge and `keyfront authz` know only the networks of `--countries` (the edge's
setting `countries`). A viewer whose country is unknown is served. Source: Developer Guide, "Restrict the geographic
distribution of your content": "If CloudFront can't determine a user's location, CloudFront serves the content".
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from keyfront.edge.request.viewer import Request
from keyfront.errors import InputError
from keyfront.inventory import GeoRestriction

Country = Callable[[str], str]
"""Takes a viewer's address, and returns the two letters of its country, or an empty text."""

_REMEMBERED: Final = 4096


def countries(given: Mapping[str, str]) -> Country:
    """Return a function that finds an address's country in `given`, which maps networks to countries.

    The smallest network counts. Raises `InputError` if a network or a country's two letters are not valid.
    """
    networks = []
    for text, country in given.items():
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            raise InputError(
                f"countries: {text!r} is not an address or a network: write 203.0.113.0/24 or 2001:db8::/32"
            ) from None
        if not (isinstance(country, str) and len(country) == 2 and country.isascii() and country.isalpha()):
            raise InputError(f"countries: {text} has {country!r}: give a country's two letters, such as 'DE'")
        networks.append((network, country.upper()))
    networks.sort(key=lambda item: item[0].prefixlen, reverse=True)

    @lru_cache(_REMEMBERED)
    def country_of(ip: str) -> str:
        try:
            address: IPv4Address | IPv6Address = ip_address(ip)
        except ValueError:
            return ""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return next((country for network, country in networks if address in network), "")

    return country_of


def is_blocked(restriction: GeoRestriction, viewer: Request, country_of: Country) -> bool:
    """Return whether the viewer's country is known and gets no content."""
    country = country_of(viewer.ip)
    return bool(country) and (country in restriction.countries) != (restriction.mode == "whitelist")
