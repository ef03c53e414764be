"""Bearer tokens: JWTs, checked with joserfc against one key or an issuer's key set."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key, KeySet
from joserfc.jws import CompactSignature, JWSRegistry

from keyfront.backend.service.claims import TokenError, customer_of
from keyfront.backend.service.keyset import SECONDS, fetch_key_set
from keyfront.backend.service.token_settings import TokenSettings
from keyfront.backend.service.values import Customer
from keyfront.keystore import Refreshing

LEEWAY_SECONDS: Final = 30
"""How much the issuer's clock may differ from ours."""
_KEY_SET_TTL: Final = 600.0
_KEY_SET_USABLE: Final = 24 * 3600.0
"""How long a key set is used while the issuer does not answer: a withdrawn key must not be used forever."""
_UNKNOWN_KEY_EVERY: Final = 30.0
"""Tokens with an unknown key make us fetch the key set at most this often: anyone can send such tokens."""

_MOST_KNOWN: Final = 4096
"""The most tokens in the cache of signature checks."""


class _Registry(JWSRegistry):
    """Allows only these algorithms. Unknown headers are ignored, unless `crit` names them."""

    def __init__(self, algorithms: tuple[str, ...]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)

    def get_alg(self, name: str) -> JWSAlgModel:
        # Not joserfc's own method, which would warn about EdDSA's old name on every request.
        if not self.allowed or name not in self.allowed:
            raise TokenError(f"its algorithm must be one of {', '.join(self.allowed or ())}")
        return self.algorithms[name]


@dataclass(slots=True)
class _Known:
    """A parsed token. It has claims and a key once its signature was checked with that `key`."""

    signed: CompactSignature
    headers: dict[str, object]
    claims: dict[str, Any] = field(default_factory=dict)
    key: Key | None = None


class TokenChecker:
    """Checks tokens and finds their customers. `clock` returns seconds since the epoch.

    The key set is cached. Signature checks are cached for as long as the key is valid. Times and the other claims are
    checked on every request.

    A request waits at most `seconds` for a key set. `blocking=True` fetches it synchronously, for callers without an
    event loop.
    """

    def __init__(
        self,
        settings: TokenSettings,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        blocking: bool = False,
    ) -> None:
        self._blocking = blocking
        self._registry = _Registry(settings.algorithms)
        self._key = settings.key()
        self._key_sets: Refreshing[KeySet] | None = None
        if (url := settings.jwks_url) is not None:
            self._key_sets = Refreshing(
                lambda: fetch_key_set(url, seconds=seconds / 3),
                name=f"the key set {url}",
                ttl=_KEY_SET_TTL,
                usable=_KEY_SET_USABLE,
                seconds=seconds,
                clock=monotonic,
            )
        self._known: dict[str, _Known] = {}
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=LEEWAY_SECONDS,
            exp={"essential": True},
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "values": list(settings.audiences)},
            sub={"essential": True},
        )

    async def customer(self, token: str) -> Customer:
        """Return the customer of `token`: its subject is the customer's id.

        Raises `TokenError` for a token that is not valid, and `ServiceError` while there is no key set.
        """
        known = self._known.get(token) or _Known(*self._taken_apart(token))
        # Looked up on every request, because the issuer may have withdrawn the key.
        key = await self._key_for(known.headers)
        try:
            if known.key is not key:
                self._verify(known, key)
                self._remember(token, known)
            self._claims.validate(known.claims)
        except TokenError:
            raise
        except ExpiredTokenError:
            raise TokenError("it has expired") from None
        except MissingClaimError as error:
            raise TokenError(f"it has no {error.claim} claim") from None
        except InvalidClaimError as error:
            is_time = error.claim in ("nbf", "iat") and isinstance(known.claims.get(error.claim), int | float)
            why = "is in the future" if is_time else "is not accepted here"
            raise TokenError(f"its {_CLAIMS.get(error.claim, error.claim)} {why}") from None
        except (JoseError, ValueError, TypeError, LookupError, RecursionError):
            raise TokenError(_DAMAGED) from None
        return customer_of(known.claims)

    def _verify(self, known: _Known, key: Key) -> None:
        """Check the signature and read the claims."""
        if not jws.validate_compact(known.signed, key, registry=self._registry):
            raise TokenError(_DAMAGED)
        claims = json.loads(known.signed.payload)
        if not isinstance(claims, dict):
            raise TokenError(_DAMAGED)
        known.claims, known.key = claims, key

    def _remember(self, token: str, known: _Known) -> None:
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[token] = known

    async def check(self) -> None:
        """Check that there are keys for tokens. Raises `ServiceError` otherwise."""
        if self._key_sets is not None:
            await self._held(self._key_sets)

    async def _held(self, sets: Refreshing[KeySet]) -> KeySet:
        return sets.get() if self._blocking else await sets.get_async()

    def _taken_apart(self, token: str) -> tuple[CompactSignature, dict[str, object]]:
        """Return the token's parts, not checked yet, and its header."""
        try:
            signed = jws.extract_compact(token.encode("ascii"), registry=self._registry)
            headers = signed.headers()
            # Checked before a key set is fetched.
            self._registry.get_alg(str(headers.get("alg")))
        except TokenError:
            raise
        except (JoseError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise TokenError("it is not a signed JWT") from None
        if not isinstance(headers.get("alg"), str) or not isinstance(headers.get("kid", ""), str):
            raise TokenError("its header is damaged")
        return signed, headers

    async def _key_for(self, headers: dict[str, object]) -> Key:
        if self._key is not None:
            return self._key
        if self._key_sets is None:
            raise TokenError("no key is configured to check it")
        sets = self._key_sets
        key_set = await self._held(sets)
        key = _find(key_set, headers)
        if key is None:
            every = _UNKNOWN_KEY_EVERY
            newer = sets.newer(key_set, every=every) if self._blocking else await sets.newer_async(key_set, every=every)
            key = _find(newer, headers)
        if key is None:
            raise TokenError("it was signed with a key that the issuer does not publish")
        return key


def _find(keys: KeySet, headers: dict[str, object]) -> Key | None:
    """Return the key that a token names. A token without a `kid` gets the only key, if there is just one."""
    kid, algorithm = headers.get("kid"), headers["alg"]
    if kid is None:
        return keys.keys[0] if len(keys.keys) == 1 else None
    named = [key for key in keys if key.kid == kid]
    return next((key for key in named if key.alg in (None, algorithm)), None)


_DAMAGED: Final = "its signature does not verify, or the token is damaged"
_CLAIMS: Final = {"iss": "issuer (iss)", "aud": "audience (aud)", "nbf": "start (nbf)", "iat": "issue time (iat)"}
