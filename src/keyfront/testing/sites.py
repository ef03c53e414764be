"""Distributions for tests: what a test gets of one, and the parts that it is created from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from keyfront.core.signing import Signer
from keyfront.errors import InputError

Access = Literal["signed", "public"]

_LIFE: Final = timedelta(minutes=5)
_CACHING_OPTIMIZED: Final = "658327ea-f89d-4fab-a63d-7e88639e58f6"


@dataclass(frozen=True, slots=True)
class Site:
    """A distribution, deployed."""

    id: str
    domain_name: str
    signer: Signer

    def url_of(self, path: str) -> str:
        """Return the URL of `path`, not signed."""
        return f"https://{self.domain_name}/{path.lstrip('/')}"

    def sign(self, path: str, **policy: Any) -> str:
        """Return a signed URL of `path`, for five minutes. `policy`: the arguments of `Signer.sign_url`."""
        return self.signer.sign_url(self.url_of(path), **{"expires": _LIFE, **policy})

    def cookies(self, path: str, **policy: Any) -> dict[str, str]:
        """Return signed cookies for `path`, a pattern. `policy`: the arguments of `Signer.sign_cookies`."""
        return dict(self.signer.sign_cookies(self.url_of(path), **{"expires": _LIFE, **policy}))


def behavior(given: Access | Mapping[str, Any], key_group_id: str) -> dict[str, Any]:
    """Return a `CacheBehavior` of the API without its path pattern. Raises `InputError`."""
    if given not in ("signed", "public") and not isinstance(given, Mapping):
        raise InputError(f"{given!r} is not a behavior: write 'signed', 'public', or members of CacheBehavior")
    trusted = {"Enabled": True, "Quantity": 1, "Items": [key_group_id]}
    return {
        "TargetOriginId": "origin",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": _CACHING_OPTIMIZED,
        **({} if given == "public" else {"TrustedKeyGroups": trusted}),
        **(given if isinstance(given, Mapping) else {}),
    }


def own_server(url: str) -> dict[str, Any]:
    """Return an `Origin` of the API for a web server of this machine. Raises `InputError` for any other."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise InputError(f"{url!r} is not a web server of this machine: write http://127.0.0.1:8000")
    ports = {"http": 80, "https": 443}
    ports[parts.scheme] = parts.port or ports[parts.scheme]
    return {
        "Id": "origin",
        "DomainName": "localhost",
        "OriginPath": parts.path.rstrip("/"),
        "CustomOriginConfig": {
            "HTTPPort": ports["http"],
            "HTTPSPort": ports["https"],
            "OriginProtocolPolicy": f"{parts.scheme}-only",
        },
    }
