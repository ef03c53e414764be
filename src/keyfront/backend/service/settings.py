"""What the download backend must be told, read from environment variables and checked before anything starts."""

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, cast, get_args
from urllib.parse import urlsplit

from keyfront.backend.service.cookies import shared_domain
from keyfront.backend.service.token_settings import TokenSettings, token_settings
from keyfront.core.misuse import MAX_LIFETIME, of_lifetime, warn
from keyfront.core.policy import LATEST
from keyfront.core.urls import viewer_url
from keyfront.errors import InputError, URLError
from keyfront.home import install
from keyfront.keystore import CloudFrontCheck, KeyStore, open_keystore

LinkReuse = Literal["file", "area"]
"""What a signature is used again for: the same file, or all that lies in its folder."""

DEFAULT_DATABASE_URL: Final = "sqlite:///keyfront.db"
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
    """The backend's settings. Values that can hold a secret are left out of its `repr`."""

    base_url: str
    """Scheme and host of the distribution, without a slash at the end: `https://d111111abcdef8.cloudfront.net`."""
    signer: str
    """Where the signing key lives: `ssm:/shop/signing-key`, `kms:alias/shop`, … (see `open_keystore`)."""
    key_pair_id: str | None = None
    """The public key's id in CloudFront; `None` when it is kept with the key."""
    key_seconds: int = DEFAULT_KEY_SECONDS
    """How long the key is used before it is fetched again, in seconds."""
    wait_seconds: int = DEFAULT_WAIT_SECONDS
    """How long a request waits, at most, for whoever knows the purchases, for the key, and for the key set."""
    check_key: bool | None = None
    """Whether CloudFront is asked, before a key is first used, if it has that key under its id; `None`: the service
    does, and the function on Lambda, which would start later for it, does not."""
    link_seconds: int = DEFAULT_LINK_SECONDS
    """How long a signed link opens its file, in seconds."""
    link_reuse: LinkReuse | None = None
    """What a link's signature is used again for, until half of its life has passed; `None`: each has its own."""
    database_url: str = field(default=DEFAULT_DATABASE_URL, repr=False)
    tokens: TokenSettings | None = None
    """How bearer tokens are checked; `None` when nobody comes with one."""
    entitlements: str | None = None
    """A function of the user's own that says who may download what, `module:function`."""
    entitlements_table: str | None = None
    """The DynamoDB table that says it."""
    cookie_domain: str | None = None
    """The domain that signed cookies are for: the one above the distribution's alias and this service's host."""
    cookie_seconds: int = DEFAULT_COOKIE_SECONDS
    """How long signed cookies open their area, in seconds."""
    max_lifetime_seconds: int | None = None
    """The longest life that links and cookies may be given, in seconds; `None`: over seven days is warned of."""

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
                f"LINK_REUSE gives out signatures of which half has passed, and LINK_SECONDS is {self.link_seconds}: "
                f"give {_MIN_REUSED_SECONDS} at least"
            )
        # A wrong address is an error now, and not at the first download.
        open_keystore(self.signer, self.key_pair_id)
        object.__setattr__(self, "base_url", distribution_url(self.base_url))
        if self.cookie_domain is not None:
            object.__setattr__(self, "cookie_domain", shared_domain(self.cookie_domain, self.base_url))
        if self.database_url != DEFAULT_DATABASE_URL:
            object.__setattr__(self, "database_url", database_url(self.database_url))

    def open_keystore(self, *, check: bool, now: Callable[[], float] = time.time) -> KeyStore:
        """Where the key is taken from. `check` counts where `check_key` says nothing; `now` is the signer's clock."""
        wanted = check if self.check_key is None else self.check_key
        asked = CloudFrontCheck(seconds=self.wait_seconds) if wanted else None
        # A longer life than seven days was warned of when the settings were made, and is not again for every link.
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
                raise InputError(f"{name}_SECONDS is {seconds!r}: give whole seconds, from 1 on")
            if seconds is not None and most is not None and seconds > most:
                raise InputError(
                    f"{name}_SECONDS is {seconds}, and MAX_LIFETIME_SECONDS is {most}: change one of them [long-lived]"
                )
        if most is None:
            warn(of_lifetime(max(self.link_seconds, self.cookie_seconds)))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """The settings in `environment` (the process's own when `None`); empty variables count as missing.

        CLOUDFRONT_DOMAIN; SIGNER or PRIVATE_KEY_PARAMETER (an SSM parameter's name); KEYPAIR_ID unless it is kept with
        the key; one of JWKS_URL, JWT_KEY and JWT_SECRET with JWT_ISSUER and JWT_AUDIENCE; optionally JWT_ALGORITHMS,
        one of DATABASE_URL, ENTITLEMENTS_TABLE and KEYFRONT_ENTITLEMENTS, LINK_SECONDS, LINK_REUSE, KEY_SECONDS,
        WAIT_SECONDS, CHECK_KEY, COOKIE_DOMAIN, COOKIE_SECONDS, MAX_LIFETIME_SECONDS. Region, credentials and endpoint
        of what has the key follow boto3's own variables. Raises `InputError`, which names the variable.
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
        )


def distribution_url(domain: str) -> str:
    """Scheme and host from what CLOUDFRONT_DOMAIN may say: a host, with a port or not, or `http://localhost:10001`.

    The scheme is https unless it is given. Raises `InputError` for anything more than a host, and for a bucket.
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
            f"CLOUDFRONT_DOMAIN is the bucket {host}, which knows nothing of CloudFront's signatures: "
            "give the distribution's domain, d….cloudfront.net"
        )
    return f"{parts.scheme}://{parts.netloc}"


def database_url(url: str) -> str:
    """A database URL with the driver that keyfront uses, or `InputError`, whose text never holds a password."""
    # Late: a service that asks no SQL database starts without the time that SQLAlchemy takes to load.
    try:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError
    except ModuleNotFoundError:
        raise InputError(
            f"DATABASE_URL needs SQLAlchemy: {install('backend')}, or on Lambda a package that was built "
            "--with postgresql"
        ) from None

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InputError(f"DATABASE_URL is not a database URL; {_DATABASES}") from None
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    elif parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise InputError(f"DATABASE_URL names {parsed.drivername!r}, which is not supported; {_DATABASES}")
    elif parsed.database in (None, "", ":memory:") or "mode=memory" in url:
        raise InputError(f"DATABASE_URL is a database in memory, which its threads could not share; {_DATABASES}")
    return parsed.render_as_string(hide_password=False)


_DATABASES: Final = "write sqlite:///keyfront.db or postgresql+psycopg://user:password@host/database"


def _needed(values: Mapping[str, str], name: str, what: str) -> str:
    if value := values.get(name):
        return value
    raise InputError(f"{name} is not set: give {what}")


def _signer(values: Mapping[str, str]) -> str:
    address, parameter = values.get("SIGNER"), values.get("PRIVATE_KEY_PARAMETER")
    if address and parameter:
        raise InputError("SIGNER and PRIVATE_KEY_PARAMETER both say where the signing key is: set one")
    if parameter:
        return f"ssm:{parameter}"
    return _needed(values, "SIGNER", "where the signing key is, such as ssm:/shop/signing-key or kms:alias/shop")


def _most(values: Mapping[str, str]) -> int | None:
    return _whole_number(values, "MAX_LIFETIME_SECONDS", 0) if "MAX_LIFETIME_SECONDS" in values else None


def _link_reuse(value: str | None) -> LinkReuse | None:
    if value is None or value in get_args(LinkReuse):
        return cast(LinkReuse | None, value)
    raise InputError(
        f"LINK_REUSE is {value!r}: write file (one signature for all who download the same file), area (one for all "
        "that lies in its folder, which each link opens then), or leave it out"
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
