"""The local certificate authority, kept in a folder, and the one server certificate that it signs.

The authority stays the same across restarts, so that a browser or a program has to be told of it once. granian takes
one certificate for a listener and cannot choose by name (SNI), so all names are in one.
"""

import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import idna
import trustme
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from keyfront.errors import InputError
from keyfront.serving import TLS

_log = logging.getLogger(__name__)

ALWAYS_NAMED: Final = ("localhost", "127.0.0.1", "::1", "*.cloudfront.localhost")

_DAYS: Final = 800
"""Apple's clients refuse server certificates that are valid for more than 825 days."""
_DAYS_LEFT: Final = 30


class Authority:
    """A certificate authority whose key stays in `folder` (mode 0600)."""

    def __init__(self, folder: Path, *, server: str = "server") -> None:
        """Load the authority, or make one. Raises `InputError` for a folder that cannot be used.

        Several processes may use one folder: the authority is made once. `server` is the name of the files that hold
        a process's own certificate.
        """
        self._folder = folder
        self._server = server
        self.certificate = folder / "ca.pem"
        """What clients have to trust."""
        key = folder / "ca-key.pem"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _alone_in(folder):
                if self.certificate.exists() and key.exists():
                    self._authority = trustme.CA.from_pem(self.certificate.read_bytes(), key.read_bytes())
                else:
                    self._authority = trustme.CA(organization_name="keyfront", organization_unit_name="local edge")
                    _write(key, self._authority.private_key_pem.bytes(), 0o600)
                    _write(self.certificate, self._authority.cert_pem.bytes(), 0o644)
        except OSError as error:
            raise InputError(f"cannot keep certificates in {folder}: {error.strerror}; choose another folder") from None
        except ValueError as error:
            raise InputError(f"the certificate authority in {folder} is damaged ({error}): delete it") from None

    def server(self, aliases: Iterable[str]) -> TLS:
        """The server certificate for `ALWAYS_NAMED` and `aliases`; a new one when a name is missing or it runs out.

        A name that is no longer needed stays until then: a new certificate ends connections, an old name does no harm.
        """
        names = sorted({*ALWAYS_NAMED, *filter(None, map(_certifiable, aliases))})
        chain, key = self._folder / f"{self._server}.pem", self._folder / f"{self._server}-key.pem"
        if not self._is_current(chain, key, names):
            issued = self._authority.issue_cert(*names, not_after=datetime.now(UTC) + timedelta(days=_DAYS))
            private = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
            _write(
                key,
                private.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                ),
                0o600,
            )
            _write(chain, b"".join(blob.bytes() for blob in issued.cert_chain_pems), 0o644)
        return TLS(chain, key)

    def _is_current(self, chain: Path, key: Path, names: list[str]) -> bool:
        try:
            certificate = x509.load_pem_x509_certificate(chain.read_bytes())
            private = serialization.load_pem_private_key(key.read_bytes(), None)
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(self.certificate.read_bytes()))
        except (OSError, ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
            return False
        known = sorted([*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))])
        lasts = certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=_DAYS_LEFT)
        return lasts and set(names) <= set(known) and private.public_key() == certificate.public_key()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes out of `folder` for a moment, where the system has locks for that."""
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


def _certifiable(alias: str) -> str:
    """`alias` as a certificate writes it, or empty if none can, or one of ours covers it already."""
    star = "*." if alias.startswith("*.") else ""
    if alias.endswith(".cloudfront.localhost") and alias.count(".") == 2:
        return ""
    try:
        return star + idna.encode(alias.removeprefix(star), uts46=True).decode("ascii")
    except idna.IDNAError as error:
        _log.warning("%s cannot stand in a certificate: over HTTPS viewers see a mismatch: %s", alias, error)
        return ""


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write whole or not at all: another process may read at any moment."""
    beside = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    beside.replace(path)
