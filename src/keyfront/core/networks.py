"""The viewer address of a policy: one IPv4 address or range, in CIDR form.

Source: Developer Guide, "Values that you specify in the policy statement for a signed URL that uses a custom policy",
`IpAddress`.
"""

import ipaddress
import re
from functools import lru_cache
from typing import Final

from keyfront.errors import PolicyError

LONGEST_ADDRESS: Final = 64
"""Characters of the longest text for an IPv6 address, with a scope. Longer texts are not cached."""

_ADDRESS_NEEDED: Final = "give one IPv4 address or range, such as 192.0.2.10 or 192.0.2.0/24"
_IPV4 = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
_NETWORK = re.compile(rf"{_IPV4}(?:/[0-9]{{1,2}})?")
_WITH_PORT = re.compile(rf"\[?({_IPV4})\]?:[0-9]{{1,5}}")
_MAPPED = re.compile(rf"\[?::ffff:({_IPV4})\]?(?::[0-9]{{1,5}})?", re.IGNORECASE)


def network(ip: str) -> str:
    """Return one IPv4 address or network in CIDR form (an address gets `/32`). Raises `PolicyError`."""
    if not isinstance(ip, str):
        raise malformed_network(f"ip is a {type(ip).__name__}: {_ADDRESS_NEEDED}", None)
    return _network(ip)


@lru_cache(maxsize=1024)
def _network(ip: str) -> str:
    if not _NETWORK.fullmatch(ip):
        raise malformed_network(f"ip is {ip[:60]!a}{_why_no_network(ip)}", ip)
    try:
        given = ipaddress.IPv4Interface(ip)
    except ValueError as error:
        raise malformed_network(f"ip is {ip}, which is not an IPv4 address or range: {error}", ip) from None
    if given.ip != given.network.network_address:
        raise malformed_network(f"ip is {ip}, but its address has bits outside the range: write {given.network}", ip)
    return str(given.network)


def without_port(address: str) -> str | None:
    """Return the IPv4 address in `address:port`, as in `CloudFront-Viewer-Address`; `None` for anything else."""
    found = _WITH_PORT.fullmatch(address)
    return found[1] if found else None


def _why_no_network(ip: str) -> str:
    """Return what is wrong with an address, and what to write."""
    if "," in ip:
        return f", which is a list (as in X-Forwarded-For): {_ADDRESS_NEEDED}"
    if bare := without_port(ip):
        return f", an address with a port (as in CloudFront-Viewer-Address): write {bare}"
    if found := _MAPPED.fullmatch(ip):
        return f", an IPv4 address in IPv6 form, and CloudFront's policies support IPv4 only: write {found[1]}"
    if ":" in ip:
        return ": CloudFront's policies support IPv4 only, so leave ip out for IPv6 viewers"
    return f": {_ADDRESS_NEEDED}"


def malformed_network(text: str, given: object) -> PolicyError:
    """Return the error for `given`, which is no network."""
    value = given[:60] if isinstance(given, str) else None
    return PolicyError(text, reason="network-malformed", member="ip", value=value)
