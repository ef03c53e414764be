"""Fetch an issuer's public keys: a JSON Web Key Set (RFC 7517) at a URL."""

import json
import logging
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from keyfront.errors import ServiceError

_log = logging.getLogger(__name__)

SECONDS: Final = 5.0
"""The default time limit for the issuer."""
_MAX_BYTES: Final = 512 * 1024
_MIN_RSA_BITS: Final = 2048
_KINDS: Final[dict[str, type[RSAKey | ECKey | OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirects: the address was checked, but not the address that it redirects to."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Return no request, which makes the redirect an error."""


_open = urllib.request.build_opener(NoRedirects).open


def fetch_key_set(url: str, *, seconds: float = SECONDS) -> KeySet:
    """Return the public signing keys at `url` (http or https). Blocks; raises `ServiceError`.

    `seconds` limits the wait for a connection, and for each piece of the response.
    """
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "keyfront"})  # noqa: S310
    try:
        with _open(request, timeout=seconds) as answer:
            body = answer.read(_MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise ServiceError(f"the key set {url} could not be read: status {error.code}") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise ServiceError(f"the key set {url} could not be read: {reason}") from None
    if len(body) > _MAX_BYTES:
        raise ServiceError(f"the key set {url} is longer than {_MAX_BYTES:,} bytes")
    return _key_set(url, body)


def _key_set(url: str, body: bytes) -> KeySet:
    try:
        entries = json.loads(body)["keys"]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise ServiceError(f"the key set {url} is not a JSON Web Key Set") from None
    keys = [key for entry in entries if (key := _key(entry)) is not None] if isinstance(entries, list) else []
    if not keys:
        raise ServiceError(f"the key set {url} contains no public key that can check tokens")
    return KeySet(list(keys))


def _key(entry: object) -> Key | None:
    """Return the key of one entry; `None` if it is not a public signing key. The other entries still count."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kind = entry.get("kty")
    if not isinstance(kind, str) or kind not in _KINDS:
        return None
    if not isinstance(entry.get("kid", ""), str):
        return None
    # Checked before the import, because joserfc would print a warning.
    if kind == "RSA" and len(str(entry.get("n", ""))) * 6 < _MIN_RSA_BITS:
        return None
    try:
        key = _KINDS[kind].import_key(entry)
    except (JoseError, ValueError, TypeError, LookupError) as error:
        _log.warning("a key in the issuer's key set cannot be read, and is ignored: %s", type(error).__name__)
        return None
    return None if isinstance(key, RSAKey) and key.public_key.key_size < _MIN_RSA_BITS else key
