"""The local certificate authority, kept in a folder, and the server certificate that it signs.

The authority stays the same across restarts, so that browsers and programs have to trust a new one only once a year.
granian takes one certificate for a listener and cannot choose by name (SNI), so all names are in one certificate.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import idna

from keyfront.edge.server.issuing import (
    Issued,
    is_too_wide,
    issue,
    may_sign,
    new_authority,
    permitted_names,
    serves,
    why_unfit,
)
from keyfront.errors import InputError
from keyfront.ownership import check_secret, own_folder
from keyfront.web.serving import TLS

_log = logging.getLogger(__name__)

ALWAYS_NAMED: Final = ("localhost", "127.0.0.1", "::1", "*.cloudfront.localhost")
RENEW: Final = "--renew-authority"
"""The option of `keyfront up` and `keyfront edge` that allows a new authority for a new alias."""


def _now() -> datetime:
    return datetime.now(UTC)


class Authority:
    """A certificate authority. Its key (mode 0600) stays in `folder` (mode 0700)."""

    def __init__(
        self,
        folder: Path,
        *,
        server: str = "server",
        aliases: Callable[[], Iterable[str]] = tuple,
        renew: bool = False,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """Load the authority, or make one that may sign for this machine's names and for `aliases`.

        An authority that has expired or soon will, or that lacks our constraints, is replaced, and the log says so.
        With `renew`, one that may not sign for an alias is replaced, too; otherwise the certificate leaves the alias
        out. Several processes may use one folder: the authority is made once. `server` is the file name of the
        process's own certificate. Only the process with the default name logs warnings about aliases.

        Raises `InputError` if the folder cannot be used or trusted, and if the authority is damaged.
        """
        self._folder = folder
        self._server = server
        self._renew = renew
        self._now = now
        self._said: set[str] = set()
        self.certificate = folder / "ca.pem"
        """The file that clients must trust."""
        self._key = folder / "ca-key.pem"
        with self._alone():
            held, why = self._load()
            if held is None:
                self._make(self._certifiable(aliases()), why)

    def server(self, aliases: Iterable[str]) -> TLS:
        """Return the server certificate for `ALWAYS_NAMED` and `aliases`: a new one if a name is missing or it expires.

        A name that is no longer needed stays until then: a new certificate ends connections, an old name does no harm.
        The authority is checked again, and replaced as in the constructor. Raises `InputError`, `OSError`.
        """
        names = [*ALWAYS_NAMED, *self._certifiable(aliases)]
        with self._alone():
            authority = self._for(names)
            names = sorted(name for name in names if may_sign(authority, name))
            chain, key = self._folder / f"{self._server}.pem", self._folder / f"{self._server}-key.pem"
            held = _held(chain, key)
            if held is None or not serves(held, authority, names, self._now()):
                issued = issue(authority, names, self._now())
                _write(key, issued.key_pem, 0o600)
                _write(chain, issued.certificate_pem, 0o644)
        return TLS(chain, key)

    def _for(self, names: Iterable[str]) -> Issued:
        """Return the authority, after replacing it or logging a warning if it may not sign for all names."""
        held, why = self._load()
        if held is None:
            return self._make(names, why)
        outside = [name for name in names if not may_sign(held, name)]
        if outside and self._renew:
            # The new authority keeps the names of the old one.
            return self._make([*names, *permitted_names(held)], f"may not sign for {', '.join(outside)}")
        if new := [name for name in outside if self._is_news(name)]:
            _log.warning(
                "no certificate names %s: the authority %s may not sign for it, so viewers over HTTPS see a mismatch. "
                "Start with %s to make a new authority, then let your programs trust the new one",
                ", ".join(new),
                self.certificate,
                RENEW,
            )
        return held

    def _load(self) -> tuple[Issued | None, str]:
        """Return the kept authority, or `None` and why it must be replaced (empty if there is none)."""
        try:
            check_secret(self._key)
            held = Issued.load(self.certificate.read_bytes(), self._key.read_bytes())
            why = why_unfit(held, self._now())
        except FileNotFoundError:
            return None, ""
        except InputError:
            raise
        except (ValueError, TypeError) as error:
            raise InputError(f"the certificate authority in {self._folder} is damaged ({error}): delete it") from None
        return (held, "") if why is None else (None, why)

    def _make(self, names: Iterable[str], why: str) -> Issued:
        made = new_authority(names, self._now())
        _write(self._key, made.key_pem, 0o600)
        _write(self.certificate, made.certificate_pem, 0o644)
        if why:
            _log.warning(
                "a new certificate authority is in %s, since the old one %s: let your programs trust the new one",
                self.certificate,
                why,
            )
        return made

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Check the folder, and lock it against other processes if the system has locks."""
        own_folder(self._folder)
        try:
            self._folder.chmod(0o700)
            with _locked(self._folder):
                yield
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"certificates cannot be kept in {self._folder}: {why}; name another directory") from None

    def _certifiable(self, aliases: Iterable[str]) -> list[str]:
        """Return the aliases that the certificate needs, in its notation."""
        found = []
        for alias in aliases:
            star = "*." if alias.startswith("*.") else ""
            if alias.endswith(".cloudfront.localhost") and alias.count(".") == 2:
                continue  # covered by `ALWAYS_NAMED`
            try:
                name = star + idna.encode(alias.removeprefix(star), uts46=True).decode("ascii")
                if is_too_wide(name):
                    raise ValueError("an authority for it could sign for a whole top-level domain")
            except ValueError as error:  # `idna.IDNAError` is one
                if self._is_news(alias):
                    _log.warning(
                        "%s cannot be in a certificate, so viewers over HTTPS see a mismatch: %s", alias, error
                    )
            else:
                found.append(name)
        return sorted(found)

    def _is_news(self, alias: str) -> bool:
        """Return whether this process logs warnings about aliases, and has not logged one about this alias."""
        if alias in self._said or self._server != "server":
            return False
        self._said.add(alias)
        return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # which unlocks it


def _held(chain: Path, key: Path) -> Issued | None:
    try:
        return Issued.load(chain.read_bytes(), key.read_bytes())
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write the file completely or not at all, since another process may read it at any time."""
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    beside.chmod(mode)  # a umask can remove the owner's permissions, too
    beside.replace(path)
