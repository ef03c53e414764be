"""The viewer's address, scheme and host, as proxies in front of this server report them.

Anyone can send `X-Forwarded-*` headers. So they are read only in requests from a trusted network. In all other requests
they are removed, so that nothing behind this module can believe them.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final

from keyfront.errors import InputError
from keyfront.web.types import ASGIApp, Headers, Receive, Scope, Send

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FOR: Final = b"x-forwarded-for"
_PROTO: Final = b"x-forwarded-proto"
_HOST: Final = b"x-forwarded-host"
_ALL: Final = (_FOR, _PROTO, _HOST)
# Azure and IIS add a port to the address.
_WITH_PORT: Final = re.compile(r"\[(?P<six>[0-9a-fA-F:.]+)\](?::[0-9]{1,5})?|(?P<four>[0-9.]+):[0-9]{1,5}")
_NAME: Final = re.compile(r"(?:\[[0-9a-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")


def trusted_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of trusted proxies. Raises `InputError` for a text that is not a network or an address."""
    found = []
    for text in texts:
        try:
            network = ipaddress.ip_network(text.strip())
        except ValueError:
            raise InputError(
                f"the trusted proxy {text[:60]!r} is not a network: give an address or a CIDR range without host bits, "
                "such as 10.0.0.0/8"
            ) from None
        if not network.prefixlen:
            raise InputError(
                f"the trusted proxy {text[:60]!r} is every address, so every viewer could forge theirs: give the "
                "proxies' own network"
            )
        found.append(network)
    return tuple(found)


class Forwarded:
    """An ASGI middleware: it puts the viewer's address, scheme and host into the scope.

    A trusted proxy appends the address that its request came from to `X-Forwarded-For`. So the viewer is the last
    address there that is not a trusted proxy. Of the other two headers the last value counts, because the nearest proxy
    wrote it.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the viewer's facts."""
        if scope["type"] == "http":
            self._correct(scope)
        await self._app(scope, receive, send)

    def _correct(self, scope: Scope) -> None:
        headers: Headers = scope["headers"]
        given = [(name, value) for name, value in headers if name in _ALL]
        peer = _address(scope["client"][0]) if scope.get("client") else None
        if peer is not None:
            scope["client"] = (str(peer), scope["client"][1])
        if not given:
            return
        scope["headers"] = kept = [(name, value) for name, value in headers if name not in _ALL]
        if peer is None or not self._trusts(peer):
            return
        scope["client"] = (str(self._viewer(peer, _values(given, _FOR))), 0)
        scheme = _last(_values(given, _PROTO)).lower()
        if scheme in ("http", "https"):
            scope["scheme"] = scheme
        if _NAME.fullmatch(host := _last(_values(given, _HOST))):
            scope["headers"] = [(b"host", host.encode("ascii")), *((n, v) for n, v in kept if n != b"host")]

    def _viewer(self, peer: Address, addresses: Sequence[str]) -> Address:
        """Return the last address that is not a trusted proxy. An address that cannot be read ends the search."""
        viewer = peer
        for text in reversed(addresses):
            address = _address(text)
            if address is None:
                break
            viewer = address
            if not self._trusts(address):
                break
        return viewer

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _values(headers: Headers, wanted: bytes) -> list[str]:
    """Return the values of a header that is a list; several headers are one list."""
    return [part.strip() for name, value in headers if name == wanted for part in value.decode("latin-1").split(",")]


def _last(values: Sequence[str]) -> str:
    return values[-1] if values else ""


def _address(text: str) -> Address | None:
    """Return the address in `text`, without a port; an IPv4 address in IPv6 form as IPv4."""
    if found := _WITH_PORT.fullmatch(text):
        text = found["six"] or found["four"]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
