"""Probes of the edge with a new key's signatures, because no signal says when all locations know a changed group."""

import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from keyfront.core.signing import Signer
from keyfront.errors import InputError
from keyfront.explain import Response
from keyfront.inventory import CacheBehavior
from keyfront.ownership import check_owner

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

_SECONDS: Final = 10
_LIFE: Final = timedelta(minutes=5)
_AUTHORITY: Final = Path(".keyfront/authority/ca.pem")
"""The certificate authority of a laptop's edge, in the folder in which `keyfront up` runs."""

Probe = Callable[[Signer, str], str]
"""Requests a signed URL. Returns an empty text if the request was allowed, otherwise the response in words."""


def ask(signer: Signer, url: str) -> str:
    """Request `url` over HTTP(S), each time with a new connection. It is a `Probe`.

    Raises `InputError` if the edge's certificate is not trusted: to wait would not change that. Also if the laptop's
    authority belongs to another user.
    """
    signed = signer.sign_url(url, expires=_LIFE)
    headers = {"Range": "bytes=0-0", "User-Agent": "keyfront rotate"}
    try:
        with _opener.open(urllib.request.Request(signed, headers=headers), timeout=_SECONDS) as answer:  # noqa: S310
            answer.read(1)
        return ""
    except urllib.error.HTTPError as error:
        return _judged(Response(error.code, {k.lower(): v for k, v in error.headers.items()}, _text(error)))
    except InputError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            fix = (
                f"run this in the folder of `keyfront up`, or set SSL_CERT_FILE to its {_AUTHORITY}"
                if _here(url)
                else "fix the certificate, choose another --probe-url, or set SSL_CERT_FILE to the authority's file"
            )
            raise InputError(f"the certificate of {url} is not trusted: {reason.verify_message}; {fix}") from None
        return f"{url} could not be requested: {reason}"


def _here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.endswith(".localhost")


class _Connection(HTTPConnection):
    """A connection to a name under localhost: this machine (RFC 6761, section 6.3). Not every resolver knows that."""

    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)


class _SecureConnection(HTTPSConnection):
    """The same with TLS, and the name in the handshake. The laptop's own authority is trusted, if it is found."""

    def connect(self) -> None:
        context = ssl.create_default_context()
        if _AUTHORITY.is_file():
            check_owner(_AUTHORITY, _AUTHORITY.stat())
            context.load_verify_locations(_AUTHORITY)
        sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.sock = context.wrap_socket(sock, server_hostname=self.host)


class _HTTP(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_Connection if _here(request.full_url) else HTTPConnection, request)


class _HTTPS(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_SecureConnection if _here(request.full_url) else HTTPSConnection, request)


_opener: Final = urllib.request.build_opener(_HTTP, _HTTPS)


def _judged(response: Response) -> str:
    # The origin's own responses (no such object, S3's AccessDenied) show that the signature was accepted.
    let_in = response.kind in ("success", "s3") or response.status in (404, 405, 416)
    return "" if let_in else f"the edge answers {response.shown}"


def _text(error: urllib.error.HTTPError) -> str:
    try:
        return error.read(4096).decode("utf-8", "replace")
    except OSError:
        return ""


def probe_target(client: "CloudFrontClient", group_id: str) -> str:
    """Return a URL below a behavior of an enabled distribution that trusts the group.

    Raises `InputError` if there is no such distribution.
    """
    from keyfront.inventory import read

    for distribution in read(client).distributions:
        behaviors: list[CacheBehavior] = [*distribution.behaviors, distribution.default_behavior]
        for behavior in behaviors:
            if distribution.enabled and group_id in behavior.trusted_key_groups:
                path = re.sub(r"\*+", "keyfront-probe", behavior.path_pattern).replace("?", "x").lstrip("/")
                return f"https://{distribution.domain_name}/{path}"
    raise InputError(
        f"no enabled distribution trusts key group {group_id}, so the new key cannot be tested: "
        "name the group in a cache behavior, or give --probe-url"
    )
