"""The backend's settings, read from environment variables and checked before the start."""

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, cast, get_args
from urllib.parse import urlsplit

from keyfront.backend.service.cookies import shared_domain
from keyfront.backend.service.database_address import DEFAULT_DATABASE_URL, database_url
from keyfront.backend.service.rate_limits import Rates
from keyfront.backend.service.token_settings import TokenSettings, token_settings
from keyfront.core.misuse import MAX_LIFETIME, of_lifetime, warn
from keyfront.core.policy import LATEST
from keyfront.core.urls import viewer_url
from keyfront.errors import InputError, URLError
from keyfront.keystore import CloudFrontCheck, KeyStore, open_keystore

LinkReuse = Literal["file", "area"]
"""A signature is reused for the same file, or for all files in its folder."""

DEFAULT_LINK_SECONDS: Final = 60
DEFAULT_COOKIE_SECONDS: Final = 3600
DEFAULT_KEY_SECONDS: Final = 300
DEFAULT_WAIT_SECONDS: Final = 5
MAX_WAIT_SECONDS: Final = 60
MAX_KEY_SECONDS: Final = 7 * 24 * 3600
_BUCKET = re.compile(r"(?:.+\.)?s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?")
_MIN_REUSED_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """The backend's settings. Its `repr` leaves out values that may contain a secret."""

    base_url: str
    """Scheme and host of the distribution, without a trailing slash: `https://d111111abcdef8.cloudfront.net`."""
    signer: str
    """Where the signing key lives: `ssm:/shop/signing-key`, `kms:alias/shop`, … (see `open_keystore`)."""
    key_pair_id: str | None = None
    """The public key's id in CloudFront; `None` if it is stored with the key."""
    key_seconds: int = DEFAULT_KEY_SECONDS
    """How long the key is used before it is fetched again, in seconds."""
    wait_seconds: int = DEFAULT_WAIT_SECONDS
    """How long a request waits at most for the purchases, for the key, and for the key set."""
    check_key: bool | None = None
    """Whether to check, before a key is first used, that CloudFront has it under its id. `None`: the service checks;
    the function on Lambda does not, because the check would delay its start."""
    link_seconds: int = DEFAULT_LINK_SECONDS
    """How long a signed link is valid, in seconds."""
    link_reuse: LinkReuse | None = None
    """How a link's signature is reused, until half of its lifetime has passed; `None`: each link has its own."""
    database_url: str = field(default=DEFAULT_DATABASE_URL, repr=False)
    tokens: TokenSettings | None = None
    """How bearer tokens are checked; `None` if they are not used."""
    entitlements: str | None = None
    """The user's own function that decides who may download what, `module:function`."""
    entitlements_table: str | None = None
    """The DynamoDB table with the entitlements."""
    cookie_domain: str | None = None
    """The domain of signed cookies: the parent domain of the distribution's alias and this service's host."""
    cookie_seconds: int = DEFAULT_COOKIE_SECONDS
    """How long signed cookies are valid, in seconds."""
    rates: Rates = field(default_factory=Rates)
    """How often links may be asked for; counted by each process."""
    max_lifetime_seconds: int | None = None
    """The longest lifetime of links and cookies, in seconds; `None`: lifetimes over seven days warn."""

    def __post_init__(self) -> None:
        if not isinstance(self.key_seconds, int) or not 1 <= self.key_seconds <= MAX_KEY_SECONDS:
            raise InputError(
                f"KEY_SECONDS is {self.key_seconds!r}: give whole seconds from 1 to {MAX_KEY_SECONDS} (seven days)"
            )
        if not isinstance(self.wait_seconds, int) or not 1 <= self.wait_seconds <= MAX_WAIT_SECONDS:
            raise InputError(f"WAIT_SECONDS is {self.wait_seconds!r}: give whole seconds from 1 to {MAX_WAIT_SECONDS}")
        self._check_lifetimes()
        if self.entitlements is not None and self.entitlements_table is not None:
            raise InputError("KEYFRONT_ENTITLEMENTS and ENTITLEMENTS_TABLE both say who may download what: set one")
        if self.link_reuse is not None and self.link_seconds < _MIN_REUSED_SECONDS:
            raise InputError(
                f"LINK_SECONDS is {self.link_seconds}, and with LINK_REUSE a link may have only half of that left: "
                f"give at least {_MIN_REUSED_SECONDS}"
            )
        # A wrong address is an error now, not at the first download.
        open_keystore(self.signer, self.key_pair_id)
        object.__setattr__(self, "base_url", distribution_url(self.base_url))
        if self.cookie_domain is not None:
            object.__setattr__(self, "cookie_domain", shared_domain(self.cookie_domain, self.base_url))
        if self.database_url != DEFAULT_DATABASE_URL:
            object.__setattr__(self, "database_url", database_url(self.database_url))

    def open_keystore(self, *, check: bool, now: Callable[[], float] = time.time) -> KeyStore:
        """Return the key store. `check` applies if `check_key` is `None`; `now` is the signer's clock."""
        wanted = check if self.check_key is None else self.check_key
        asked = CloudFrontCheck(seconds=self.wait_seconds) if wanted else None
        # A lifetime over seven days warned when the settings were made. It must not warn again for every link.
        most = self.max_lifetime_seconds or max(self.link_seconds, self.cookie_seconds, MAX_LIFETIME)
        return open_keystore(
            self.signer,
            self.key_pair_id,
            ttl=self.key_seconds,
            seconds=self.wait_seconds,
            check=asked,
            now=now,
            max_lifetime=timedelta(seconds=most),
        )

    def _check_lifetimes(self) -> None:
        most = self.max_lifetime_seconds
        for name, seconds in (("MAX_LIFETIME", most), ("LINK", self.link_seconds), ("COOKIE", self.cookie_seconds)):
            if seconds is not None and (not isinstance(seconds, int) or not 1 <= seconds <= LATEST):
                raise InputError(f"{name}_SECONDS is {seconds!r}: give whole seconds, at least 1")
            if seconds is not None and most is not None and seconds > most:
                raise InputError(
                    f"{name}_SECONDS is {seconds}, but MAX_LIFETIME_SECONDS is {most}: change one of them [long-lived]"
                )
        if most is None:
            warn(of_lifetime(max(self.link_seconds, self.cookie_seconds)))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Return the settings in `environment` (if `None`: the process's). Empty variables count as missing.

        Required: CLOUDFRONT_DOMAIN; SIGNER or PRIVATE_KEY_PARAMETER (an SSM parameter's name); KEYPAIR_ID if it is not
        stored with the key. For bearer tokens: one of JWKS_URL, JWT_KEY and JWT_SECRET, with JWT_ISSUER and
        JWT_AUDIENCE, and optionally JWT_ALGORITHMS. Optional: one of DATABASE_URL, ENTITLEMENTS_TABLE and
        KEYFRONT_ENTITLEMENTS; LINK_SECONDS, LINK_REUSE, KEY_SECONDS, WAIT_SECONDS, CHECK_KEY, COOKIE_DOMAIN,
        COOKIE_SECONDS, MAX_LIFETIME_SECONDS, LINK_RATE, ADDRESS_RATE, DOWNLOAD_RATE, SIGN_IN_RATE. The key
        service's region, credentials and endpoint come from boto3's own variables. Raises `InputError`, which names the
        variable.
        """
        given = os.environ if environment is None else environment
        values = {name: value.strip() for name, value in given.items() if value.strip()}
        return cls(
            base_url=_needed(values, "CLOUDFRONT_DOMAIN", "the distribution's domain, d….cloudfront.net"),
            signer=_signer(values),
            key_pair_id=values.get("KEYPAIR_ID"),
            key_seconds=_whole_number(values, "KEY_SECONDS", DEFAULT_KEY_SECONDS),
            wait_seconds=_whole_number(values, "WAIT_SECONDS", DEFAULT_WAIT_SECONDS),
            check_key=_yes_or_no(values, "CHECK_KEY"),
            link_seconds=_whole_number(values, "LINK_SECONDS", DEFAULT_LINK_SECONDS),
            link_reuse=_link_reuse(values.get("LINK_REUSE")),
            database_url=values.get("DATABASE_URL", DEFAULT_DATABASE_URL),
            tokens=token_settings(values),
            entitlements=values.get("KEYFRONT_ENTITLEMENTS"),
            entitlements_table=values.get("ENTITLEMENTS_TABLE"),
            cookie_domain=values.get("COOKIE_DOMAIN"),
            cookie_seconds=_whole_number(values, "COOKIE_SECONDS", DEFAULT_COOKIE_SECONDS),
            max_lifetime_seconds=_most(values),
            rates=Rates.of(values),
        )


def distribution_url(domain: str) -> str:
    """Return scheme and host from CLOUDFRONT_DOMAIN: a host, with or without a port, or `http://localhost:10001`.

    The default scheme is https. Raises `InputError` for a path or a query, and for a bucket.
    """
    try:
        url = viewer_url(domain if "://" in domain else f"https://{domain}")
    except URLError as error:
        raise InputError(f"CLOUDFRONT_DOMAIN is not a domain: {error}") from None
    parts = urlsplit(url)
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InputError(f"CLOUDFRONT_DOMAIN is {domain!r}, whose port is not between 0 and 65535") from None
    if parts.path != "/" or parts.query:
        raise InputError(f"CLOUDFRONT_DOMAIN is {domain!r}: give the host alone, {parts.netloc}")
    if _BUCKET.fullmatch(host):
        raise InputError(
            f"CLOUDFRONT_DOMAIN is the bucket {host}, which does not accept CloudFront's signatures: "
            "give the distribution's domain, d….cloudfront.net"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _needed(values: Mapping[str, str], name: str, what: str) -> str:
    if value := values.get(name):
        return value
    raise InputError(f"{name} is not set: give {what}")


def _signer(values: Mapping[str, str]) -> str:
    address, parameter = values.get("SIGNER"), values.get("PRIVATE_KEY_PARAMETER")
    if address and parameter:
        raise InputError("SIGNER and PRIVATE_KEY_PARAMETER both name the signing key: set only one")
    if parameter:
        return f"ssm:{parameter}"
    return _needed(values, "SIGNER", "where the signing key is, such as ssm:/shop/signing-key or kms:alias/shop")


def _most(values: Mapping[str, str]) -> int | None:
    return _whole_number(values, "MAX_LIFETIME_SECONDS", 0) if "MAX_LIFETIME_SECONDS" in values else None


def _link_reuse(value: str | None) -> LinkReuse | None:
    if value is None or value in get_args(LinkReuse):
        return cast(LinkReuse | None, value)
    raise InputError(
        f"LINK_REUSE is {value!r}: write file (one signature for all downloads of the same file) or area (one "
        "signature for all files in its folder, which each link then opens), or leave it out"
    )


def _yes_or_no(values: Mapping[str, str], name: str) -> bool | None:
    value = values.get(name)
    if value is None or value.lower() in ("true", "false"):
        return None if value is None else value.lower() == "true"
    raise InputError(f"{name} is {value!r}: write true or false")


def _whole_number(values: Mapping[str, str], name: str, default: int) -> int:
    value = values.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise InputError(f"{name} is {value!r}: give whole seconds")
    return int(value)
