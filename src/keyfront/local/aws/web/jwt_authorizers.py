"""JWT authorizers: fetches the issuer's keys as API Gateway does, and checks a token's signature and claims.

Source: API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers". On the laptop an issuer may
also use plain http, so one on this machine works.
"""

import json
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from keyfront.backend.service.keyset import fetch_key_set
from keyfront.errors import KeyfrontError, ServiceError
from keyfront.keystore import Refreshing

_ALGORITHMS: Final = ["RS256", "RS384", "RS512"]
"""API Gateway accepts only RSA."""
_KEYS_SECONDS: Final = 2 * 3600.0
_UNKNOWN_KEY_EVERY: Final = 5.0
_TIMEOUT_SECONDS: Final = 5.0
_LONGEST: Final = 512 * 1024


@dataclass(frozen=True)
class Authorizer:
    """The issuer and audiences of valid tokens, and where a request has its token."""

    issuer: str
    audiences: tuple[str, ...]
    sources: tuple[str, ...]


class RefusedTokenError(Exception):
    """A token that is refused. `status` is 401, or 403 if it lacks the scope."""

    def __init__(self, why: str, *, status: int = 401, code: str = "invalid_token") -> None:
        super().__init__(why)
        self.status, self.code = status, code


class Issuers:
    """The keys of all issuers in use, cached for two hours."""

    def __init__(self) -> None:
        self._known: dict[str, Refreshing[KeySet]] = {}

    async def key(self, issuer: str, headers: Mapping[str, object]) -> Key:
        """Return the key that a token's headers name. Raises `RefusedTokenError` if the issuer does not have it."""
        if issuer not in self._known:
            self._known[issuer] = Refreshing(
                lambda: _fetch(issuer), name=f"the keys of {issuer}", ttl=_KEYS_SECONDS, usable=_KEYS_SECONDS
            )
        keys = self._known[issuer]
        try:
            held = await keys.get_async()
            found = _named(held, headers) or _named(await keys.newer_async(held, every=_UNKNOWN_KEY_EVERY), headers)
        except KeyfrontError as error:
            raise RefusedTokenError(f"OIDC discovery endpoint communication error: {error}") from None
        if found is None:
            raise RefusedTokenError("unable to find a key that matches the token's kid")
        return found

    async def claims(self, authorizer: Authorizer, token: str, scopes: Sequence[str]) -> dict[str, Any]:
        """Return the claims of a token that is valid for a route with these `scopes`. Raises `RefusedTokenError`."""
        token = token[7:] if token[:7].lower() == "bearer " else token
        try:
            registry = jws.JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
            headers = jws.extract_compact(token.strip().encode("ascii"), registry=registry).headers()
            if headers.get("alg") not in _ALGORITHMS:
                raise RefusedTokenError("the token's algorithm is not RS256, RS384 or RS512")
            claims = jwt.decode(token.strip(), await self.key(authorizer.issuer, headers), registry=registry).claims
        except (JoseError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise RefusedTokenError("signature is invalid, or the token is damaged") from None
        _check(claims, authorizer)
        granted = str(claims.get("scope") or "").split()
        listed = claims.get("scp") or ()
        granted += listed.split() if isinstance(listed, str) else [str(each) for each in listed]
        if scopes and not set(scopes) & set(granted):
            raise RefusedTokenError(
                "the token does not have any of the route's scopes", status=403, code="insufficient_scope"
            )
        return dict(claims)


def _check(claims: Mapping[str, Any], authorizer: Authorizer) -> None:
    now = time.time()
    if claims.get("iss") != authorizer.issuer:
        raise RefusedTokenError("the token was issued by another issuer")
    audiences = claims.get("aud") or claims.get("client_id") or ()
    given = [audiences] if isinstance(audiences, str) else list(audiences)
    if authorizer.audiences and not set(authorizer.audiences) & set(map(str, given)):
        raise RefusedTokenError("the token has an invalid audience")
    times = {name: claims.get(name) for name in ("exp", "nbf", "iat")}
    if any(value is not None and not isinstance(value, int | float) for value in times.values()):
        raise RefusedTokenError("the token has a time that is not a number")
    if times["exp"] is None or times["exp"] <= now:
        raise RefusedTokenError("the token has expired")
    if (times["nbf"] or 0) > now or (times["iat"] or 0) > now + 1:
        raise RefusedTokenError("the token is not valid yet")


def _named(keys: KeySet, headers: Mapping[str, object]) -> Key | None:
    kid = headers.get("kid")
    return next((key for key in keys if kid is not None and key.kid == kid), None)


def _fetch(issuer: str) -> KeySet:
    """Return the issuer's keys. Blocks. Raises `ServiceError`."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        if urlsplit(address).scheme not in ("http", "https"):
            raise ValueError("not an http address")
        with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 (checked above)
            url = json.loads(answer.read(_LONGEST))["jwks_uri"]
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("no jwks_uri")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServiceError(f"{address} could not be read: {type(error).__name__}") from None
    return fetch_key_set(url)


def as_text(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return the claims as in an event, where all values are text."""
    return {name: _text(value) for name, value in claims.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{' '.join(_text(each) for each in value)}]"
    return value if isinstance(value, str) else json.dumps(value)
