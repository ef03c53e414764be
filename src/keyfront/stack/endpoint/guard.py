"""Keeps web pages away from the endpoint.

The endpoint takes any credentials, as everything that plays AWS on a laptop does, and it listens where every page
in the user's browser can send requests: 127.0.0.1. Two things would let a page drive it, and read the signing key
out of SSM:

- DNS rebinding: the page's own name is made to resolve to 127.0.0.1, so that its requests are same-origin. They
  still carry that name as their `Host`; we answer to names that nobody outside can point here.
- Cross-site requests: a form, an image or a `fetch` from any page. Browsers mark them (`Origin`,
  `Sec-Fetch-Site`), and SDKs, Terraform and curl never send those headers.

The addresses of HTTP APIs and function URLs are not guarded: see `Endpoint`.
"""

import ipaddress
import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from keyfront.stack.endpoint.addressing import host_name

_LOOPBACK_NAME: Final = re.compile(r"(?:.+\.)?localhost")
# Names in these zones are not an attacker's to point anywhere. The first is LocalStack's name for 127.0.0.1, which
# many configurations hold; the others arrive through proxies and `--resolve`.
_FOREIGN_ZONES: Final = (".localhost.localstack.cloud", ".amazonaws.com", ".amazonaws.com.cn")


def refusal(headers: dict[str, str], host_headers: int, more_hosts: Collection[str] = ()) -> str | None:
    """Why a request is not taken, or `None` when it is.

    `headers` have lower-case names, `host_headers` is how many `Host` headers came, `more_hosts` are names that
    the user wants to reach the endpoint by.
    """
    if host_headers != 1 or not (host := host_name(headers.get("host", ""))):
        return "The request needs exactly one Host header."
    if not (_is_address(host) or _is_loopback(host, more_hosts) or f".{host}".endswith(_FOREIGN_ZONES)):
        return (
            f"The host {host!r} is not one that this endpoint answers to, so that no web page can reach it under a "
            "name of its own. Use localhost or 127.0.0.1."
        )
    origin = headers.get("origin")
    if origin is not None:
        if not _is_loopback(_origin_host(origin), more_hosts):
            return f"Requests from web pages of {origin!r} are not taken. Serve the page from localhost."
    elif headers.get("sec-fetch-site") == "cross-site":
        return "Requests that a page of another site makes are not taken. Enter the address in the browser yourself."
    return None


def _is_address(host: str) -> bool:
    # A page cannot be rebound to a literal address: it would have to be served from there.
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str, more_hosts: Collection[str]) -> bool:
    if _LOOPBACK_NAME.fullmatch(host) or host in more_hosts:
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _origin_host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""
