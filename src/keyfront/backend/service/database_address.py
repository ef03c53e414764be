"""The address of the purchases database: SQLite, or PostgreSQL with or without TLS."""

import ipaddress
from collections.abc import Mapping
from typing import Final

from keyfront.errors import InputError
from keyfront.home import install

DEFAULT_DATABASE_URL: Final = "sqlite:///keyfront.db"

_DATABASES: Final = "write sqlite:///keyfront.db or postgresql+psycopg://user:password@host/database"
_CHECKED: Final = ("verify-full", "verify-ca")
_MODES: Final = ("disable", "allow", "prefer", "require", *_CHECKED)
"""PostgreSQL, "SSL Support", table 32.1."""


def database_url(url: str) -> str:
    """Return a database URL with keyfront's driver. Raises `InputError`, whose text never contains a password."""
    # Imported late: a service without an SQL database starts without the time that SQLAlchemy takes to load.
    try:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError
    except ModuleNotFoundError:
        raise InputError(
            f"DATABASE_URL needs SQLAlchemy: {install('backend')}, or for Lambda build the package with "
            "--with postgresql"
        ) from None

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InputError(f"DATABASE_URL is not a database URL; {_DATABASES}") from None
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        parsed = parsed.set(drivername="postgresql+psycopg")
        _check_mode(parsed.query.get("sslmode"))
    elif parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise InputError(f"DATABASE_URL names {parsed.drivername!r}, which is not supported; {_DATABASES}")
    elif parsed.database in (None, "", ":memory:") or "mode=memory" in url:
        raise InputError(f"DATABASE_URL is a database in memory, which threads cannot share; {_DATABASES}")
    return parsed.render_as_string(hide_password=False)


def weak_encryption(url: str, environment: Mapping[str, str]) -> str | None:
    """Return a warning if a connection to PostgreSQL on another machine could be read or diverted; `None` otherwise.

    `environment` may have PGSSLMODE.
    """
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    host = parsed.query.get("host") or parsed.host or ""
    if parsed.get_backend_name() != "postgresql" or not isinstance(host, str) or _is_local(host):
        return None
    mode = parsed.query.get("sslmode") or environment.get("PGSSLMODE") or "prefer"
    if mode in _CHECKED:
        return None
    why = "is encrypted, but may lead to another server" if mode == "require" else "may be unencrypted"
    return f"the connection to PostgreSQL at {host} {why} (sslmode={mode}): add ?sslmode=verify-full to DATABASE_URL"


def _check_mode(mode: object) -> None:
    if mode is not None and mode not in _MODES:
        raise InputError(f"DATABASE_URL has sslmode={mode!r}: give one of {', '.join(_MODES)}")


def _is_local(host: str) -> bool:
    """Return whether `host` is a socket's folder or this machine."""
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
