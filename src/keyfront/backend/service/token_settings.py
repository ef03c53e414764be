"""Settings for the check of bearer tokens: issuer, audience and key.

The kind of key decides which algorithms a token may use, never the token: RFC 8725, "JSON Web Token Best Current
Practices", section 3.1. So a public key and a shared secret have different variables.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from keyfront.errors import InputError

# joserfc is imported late: behind a gateway that checks tokens it is not needed.
if TYPE_CHECKING:
    from joserfc.jwk import Key

RSA_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVE_ALGORITHMS: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
ED25519_ALGORITHMS: Final = ("Ed25519", "EdDSA")
ASYMMETRIC: Final = (*RSA_ALGORITHMS, *_CURVE_ALGORITHMS.values(), *ED25519_ALGORITHMS)
"""Every algorithm for which a public key is accepted."""
_SECRET_ALGORITHMS: Final = ("HS256",)
_MIN_SECRET_BYTES: Final = 32  # RFC 7518, section 3.2: no shorter than the hash
_KEY_VARIABLES: Final = ("JWKS_URL", "JWT_KEY", "JWT_SECRET")
_VARIABLES: Final = (*_KEY_VARIABLES, "JWT_ISSUER", "JWT_AUDIENCE", "JWT_ALGORITHMS")
# A public key that lost its BEGIN line. If it were used as the secret, anyone could make tokens with it.
_LOOKS_PUBLIC = re.compile(r"-----|\AMI[A-Za-z0-9+/]{60}|\Assh-|\Aecdsa-|\A\s*\{")


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How bearer tokens are checked. Exactly one of `jwks_url`, `public_key` and `secret` is set."""

    issuer: str
    """The `iss` that a token must have."""
    audiences: tuple[str, ...]
    """A token's `aud` must name one of these."""
    jwks_url: str | None = None
    """The URL where the issuer publishes its public keys."""
    public_key: str | None = None
    """The issuer's public key, in PEM."""
    secret: str | None = field(default=None, repr=False)
    """The secret that the issuer and this backend share, for HS256."""
    algorithms: tuple[str, ...] = ()
    """The algorithms that a token may use; if empty, all that the key supports."""

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.jwks_url, self.public_key, self.secret)) != 1:
            raise InputError("tokens are checked with one of JWKS_URL, JWT_KEY and JWT_SECRET: set exactly one")
        if not self.issuer or not self.audiences or not all(self.audiences):
            raise InputError(
                "JWT_ISSUER and JWT_AUDIENCE are both needed: set both, or a token for another service would be "
                "accepted here"
            )
        fitting = self._fitting()
        for name in self.algorithms:
            if name not in fitting:
                raise InputError(f"JWT_ALGORITHMS names {name!r}; with this kind of key give {', '.join(fitting)}")
        object.__setattr__(self, "algorithms", self.algorithms or fitting)

    def key(self) -> "Key | None":
        """Return the key; `None` if `jwks_url` is set."""
        if self.secret is not None:
            from joserfc.jwk import OctKey

            return OctKey.import_key(self.secret)
        return None if self.public_key is None else _public_key(self.public_key)[0]

    def _fitting(self) -> tuple[str, ...]:
        if self.secret is not None:
            _check_secret(self.secret)
            return _SECRET_ALGORITHMS
        if self.jwks_url is not None:
            _check_url(self.jwks_url)
            return ASYMMETRIC
        return _public_key(self.public_key or "")[1]


def token_settings(values: Mapping[str, str]) -> TokenSettings | None:
    """Return the settings in environment variables; `None` if none of them is set. Raises `InputError`."""
    if not any(name in values for name in _VARIABLES):
        return None
    return TokenSettings(
        issuer=values.get("JWT_ISSUER", ""),
        audiences=_list(values.get("JWT_AUDIENCE", "")),
        jwks_url=values.get("JWKS_URL"),
        public_key=values.get("JWT_KEY"),
        secret=values.get("JWT_SECRET"),
        algorithms=_list(values.get("JWT_ALGORITHMS", "")),
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _public_key(pem: str) -> "tuple[Key, tuple[str, ...]]":
    """Return the key and the algorithms that it supports."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    # In an environment variable, line ends may have become the two characters "\n".
    pem = pem.replace("\\n", "\n")
    if "PRIVATE KEY-----" in pem:
        raise InputError("JWT_KEY is a private key: give its public key (openssl pkey -pubout), and keep this one safe")
    if "BEGIN PUBLIC KEY" not in pem:
        raise InputError("JWT_KEY is not a public key in PEM (BEGIN PUBLIC KEY); a shared secret goes into JWT_SECRET")
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        raise InputError("JWT_KEY is a damaged PEM, whose content cannot be read: copy it again") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return RSAKey.import_key(pem), RSA_ALGORITHMS
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVE_ALGORITHMS:
        return ECKey.import_key(pem), (_CURVE_ALGORITHMS[key.curve.name],)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return OKPKey.import_key(pem), ED25519_ALGORITHMS
    raise InputError(
        "JWT_KEY is of an unsupported kind: give RSA of 2048 bits or more, a key on P-256, P-384 or P-521, or Ed25519"
    )


def _check_secret(secret: str) -> None:
    if _LOOKS_PUBLIC.search(secret):
        raise InputError("JWT_SECRET looks like a public key, with which anyone could make tokens: use JWT_KEY for it")
    if len(secret.encode()) < _MIN_SECRET_BYTES:
        raise InputError(
            f"JWT_SECRET has {len(secret.encode())} bytes, but needs at least {_MIN_SECRET_BYTES}: "
            "make one with `openssl rand -hex 32`"
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InputError("JWKS_URL is not a URL: give https://issuer/.well-known/jwks.json") from None
    if parts.username or parts.password:
        raise InputError("JWKS_URL contains a user name or password: remove it")
    if not host or parts.scheme not in ("http", "https"):
        raise InputError(f"JWKS_URL is {url!r}: give https://issuer/.well-known/jwks.json")
    if parts.scheme == "http" and not _is_loopback(host):
        raise InputError(f"JWKS_URL is {url!r}: over plain http an attacker could swap the keys; use https")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
