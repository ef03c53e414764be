"""The headers in which each front door describes a viewer's request. No other header is believed.

Sources: nginx, "ngx_http_auth_request_module" (the headers are those of our own documented configuration); Caddy,
"forward_auth"; Traefik, "ForwardAuth"; Envoy, "External Authorization" (HTTP service with a path prefix).
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from keyfront.core.networks import LONGEST_ADDRESS
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import Headers
from keyfront.errors import InputError

DECIDE: Final = "/authz"
"""The path for decisions. Envoy appends the viewer's own path to it."""

_METHOD = re.compile(r"[A-Z][A-Z\-]{0,31}")


class FrontRequest(NamedTuple):
    """What a front door sent. Header names are in lower case."""

    method: str
    path: bytes
    query: bytes
    headers: Headers


class FrontResponse(NamedTuple):
    """What it gets."""

    status: int
    headers: Headers
    body: bytes


class FrontError(InputError):
    """The front door left out or repeated a header. The viewer is not let in."""


@dataclass(frozen=True, slots=True)
class Front:
    """The headers (in lower case) in which a front door describes a request."""

    name: str
    host: bytes
    ip: bytes
    scheme: bytes = b"x-forwarded-proto"
    method: bytes = b""
    """If empty, the front door's request has the viewer's method."""
    uri: bytes = b""
    """If empty, the front door's request has the viewer's path, after `/authz`."""
    bare: bool = False
    """Whether the front door drops the body of a refusal and accepts only 403 as its status."""

    def viewer(self, asked: FrontRequest, proxies: int) -> Request:
        """Return the viewer's request, read from the front door's request.

        `proxies` is the number of trusted proxies in front of the front door: that many addresses at the end of
        X-Forwarded-For are theirs. Raises `FrontError` for a header that is missing, repeated or not valid.
        """
        fields: dict[bytes, list[bytes]] = {}
        for name, value in asked.headers:
            fields.setdefault(name, []).append(value)
        method = self._one(fields, self.method) if self.method else asked.method
        scheme = self._one(fields, self.scheme)
        if scheme not in ("http", "https"):
            raise FrontError(f"{_shown(self.scheme)} is {scheme[:40]!r}: it must be http or https")
        if not _METHOD.fullmatch(method):
            raise FrontError(f"{_shown(self.method)} is {method[:40]!r}, which is not a method")
        path, query = self._target(asked, fields)
        host = self._one(fields, self.host)
        cookies = [(b"cookie", value) for value in fields.get(b"cookie", ())]
        return Request(
            {
                "method": method,
                "scheme": scheme,
                "http_version": "1.1",
                "raw_path": path,
                "query_string": query,
                "client": (self._address(fields, proxies), 0),
                "headers": [(b"host", host.encode("latin-1")), *cookies],
            }
        )

    def _target(self, asked: FrontRequest, fields: Mapping[bytes, list[bytes]]) -> tuple[bytes, bytes]:
        if self.uri:
            path, _, query = self._one(fields, self.uri).encode("latin-1").partition(b"?")
            return path, query
        return asked.path.removeprefix(DECIDE.encode("ascii")), asked.query

    def _address(self, fields: Mapping[bytes, list[bytes]], proxies: int) -> str:
        if self.ip != b"x-forwarded-for":
            address = self._one(fields, self.ip)
        else:
            # Each proxy appends the address that its request came from.
            addresses = [
                each.strip() for value in fields.get(self.ip, ()) for each in value.decode("latin-1").split(",")
            ]
            if len(addresses) <= proxies or not addresses[-1 - proxies]:
                raise FrontError(f"{_shown(self.ip)} is missing, or has fewer than {proxies + 1} addresses")
            address = addresses[-1 - proxies]
        if len(address) > LONGEST_ADDRESS or not _is_address(address):
            raise FrontError(f"{_shown(self.ip)} contains {address[:60]!r}, which is not an address")
        return address

    def _one(self, fields: Mapping[bytes, list[bytes]], name: bytes) -> str:
        values = fields.get(name, [])
        if len(values) != 1 or not values[0]:
            raise FrontError(f"{_shown(name)} {'was sent twice' if values[1:] else 'is missing'}")
        return values[0].decode("latin-1")


def _forwarded(name: str) -> Front:
    return Front(name, b"x-forwarded-host", b"x-forwarded-for", method=b"x-forwarded-method", uri=b"x-forwarded-uri")


FRONTS: Final[Mapping[str, Front]] = {
    "nginx": Front("nginx", b"host", b"x-real-ip", method=b"x-original-method", uri=b"x-original-uri", bare=True),
    "caddy": _forwarded("caddy"),
    "traefik": _forwarded("traefik"),
    "envoy": Front("envoy", b"host", b"x-forwarded-for"),
}


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _shown(name: bytes) -> str:
    return f"the header {name.decode('ascii').title()}" if name else "the method"
