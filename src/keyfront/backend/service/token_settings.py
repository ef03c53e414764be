"""How bearer tokens are checked, as settings: whose they are, for whom, and with which key.

Which algorithms a token may use follows from the kind of key and never from the token: RFC 8725, "JSON Web Token
Best Current Practices", section 3.1. A public key and a shared secret therefore have variables of their own.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from keyfront.errors import InputError

# joserfc is loaded late: behind a gateway that checks tokens nobody needs it.
if TYPE_CHECKING:
    from joserfc.jwk import Key

RSA_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVE_ALGORITHMS: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
ED25519_ALGORITHMS: Final = ("Ed25519", "EdDSA")
ASYMMETRIC: Final = (*RSA_ALGORITHMS, *_CURVE_ALGORITHMS.values(), *ED25519_ALGORITHMS)
"""Every algorithm that a public key can have here."""
_SECRET_ALGORITHMS: Final = ("HS256",)
_MIN_SECRET_BYTES: Final = 32  # RFC 7518, section 3.2: no shorter than the hash
_KEY_VARIABLES: Final = ("JWKS_URL", "JWT_KEY", "JWT_SECRET")
_VARIABLES: Final = (*_KEY_VARIABLES, "JWT_ISSUER", "JWT_AUDIENCE", "JWT_ALGORITHMS")
# A public key that lost its BEGIN line: taken for a secret, anybody could make tokens with it.
_LOOKS_PUBLIC = re.compile(r"-----|\AMI[A-Za-z0-9+/]{60}|\Assh-|\Aecdsa-|\A\s*\{")


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Exactly one of `jwks_url`, `public_key` and `secret` is set."""

    issuer: str
    """The `iss` that a token must have."""
    audiences: tuple[str, ...]
    """A token's `aud` must name one of these."""
    jwks_url: str | None = None
    """Where the issuer publishes its public keys."""
    public_key: str | None = None
    """The issuer's public key, in PEM."""
    secret: str | None = field(default=None, repr=False)
    """What the issuer and this backend share, for HS256."""
    algorithms: tuple[str, ...] = ()
    """The algorithms that a token may use; empty: all that fit the key."""

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.jwks_url, self.public_key, self.secret)) != 1:
            raise InputError("tokens are checked with one of JWKS_URL, JWT_KEY and JWT_SECRET: set exactly one")
        if not self.issuer or not self.audiences or not all(self.audiences):
            raise InputError(
                "JWT_ISSUER and JWT_AUDIENCE are both needed: "
                "without them a token made for another service would open this one"
            )
        fitting = self._fitting()
        for name in self.algorithms:
            if name not in fitting:
                raise InputError(f"JWT_ALGORITHMS names {name!r}; with this kind of key it can be {', '.join(fitting)}")
        object.__setattr__(self, "algorithms", self.algorithms or fitting)

    def key(self) -> "Key | None":
        """The key itself; `None` when it is behind `jwks_url`."""
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
    """The settings in environment variables; `None` when none of them is there. Raises `InputError`."""
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
    """The key and the algorithms that it can have."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    # An environment variable may have turned line ends into the two characters "\n".
    pem = pem.replace("\\n", "\n")
    if "PRIVATE KEY-----" in pem:
        raise InputError("JWT_KEY is a private key: give its public half (openssl pkey -pubout), and keep it safe")
    if "BEGIN PUBLIC KEY" not in pem:
        raise InputError("JWT_KEY is not a public key in PEM (BEGIN PUBLIC KEY); a shared secret goes into JWT_SECRET")
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        raise InputError("JWT_KEY is a damaged PEM: its content cannot be read") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return RSAKey.import_key(pem), RSA_ALGORITHMS
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVE_ALGORITHMS:
        return ECKey.import_key(pem), (_CURVE_ALGORITHMS[key.curve.name],)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return OKPKey.import_key(pem), ED25519_ALGORITHMS
    raise InputError("JWT_KEY is neither RSA of 2048 bits or more, nor on P-256, P-384 or P-521, nor Ed25519")


def _check_secret(secret: str) -> None:
    if _LOOKS_PUBLIC.search(secret):
        raise InputError("JWT_SECRET looks like a public key, with which anybody could make tokens: use JWT_KEY for it")
    if len(secret.encode()) < _MIN_SECRET_BYTES:
        raise InputError(
            f"JWT_SECRET has {len(secret.encode())} bytes and needs {_MIN_SECRET_BYTES}: "
            "make one with `openssl rand -hex 32`"
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InputError("JWKS_URL is not a URL: give https://issuer/.well-known/jwks.json") from None
    if parts.username or parts.password:
        raise InputError("JWKS_URL holds a user name or password: remove it")
    if not host or parts.scheme not in ("http", "https"):
        raise InputError(f"JWKS_URL is {url!r}: give https://issuer/.well-known/jwks.json")
    if parts.scheme == "http" and not _is_loopback(host):
        raise InputError(f"JWKS_URL is {url!r}: over plain http anybody on the way could swap the keys; use https")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
