"""Read keys and passphrases from files, standard input, the environment or a prompt."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyfront.core.showing import told
from keyfront.errors import InputError, KeyLoadError

if TYPE_CHECKING:
    from keyfront.core.keys import PublicKey, SigningKey

_VARIABLE: Final = "KEYFRONT_PASSPHRASE"
_STDIN: Final = Path("-")


def signing_key(source: Path, passphrase_file: Path | None) -> "SigningKey":
    """Return the private key in the file `source`, or from standard input for `-`.

    For an encrypted key, the passphrase comes from `passphrase_file`, from the environment, or from a prompt. Raises
    `KeyLoadError`.
    """
    from keyfront.core.keys import SigningKey

    pem = sys.stdin.buffer.read() if source == _STDIN else _read(source, "private key")
    where = "standard input" if source == _STDIN else str(source)
    passphrase = _passphrase(where, passphrase_file) if b"ENCRYPTED" in pem else None
    try:
        return SigningKey.load(pem, passphrase)
    except KeyLoadError as error:
        raise KeyLoadError(f"{where}: {error}", reason=error.reason, member=error.member) from None


def public_key(source: Path) -> "PublicKey":
    """Return the public key in the file `source`. Raises `KeyLoadError` for anything else, such as a private key."""
    from keyfront.core.keys import PublicKey

    pem = _read(source, "public key")
    if b"PRIVATE KEY-----" in pem:
        raise KeyLoadError(
            f"{source}: this is a private key, which only the signer needs; give its public key (public_key.pem in "
            f"the same folder, or: openssl pkey -in {source} -pubout)",
            reason="key-is-private",
        )
    try:
        return PublicKey.load(pem)
    except KeyLoadError as error:
        raise KeyLoadError(f"{source}: {error}", reason=error.reason, value=error.value) from None


def passphrase_in(file: Path) -> str:
    """Return the first line of `file` without its line end. Raises `InputError` if it is empty."""
    try:
        line = _read(file, "passphrase").decode("utf-8").split("\n", 1)[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise InputError(f"the passphrase file {file} is not UTF-8 text") from None
    if not line:
        raise InputError(f"the first line of the passphrase file {file} is empty: write the passphrase there")
    return line


def _passphrase(where: str, file: Path | None) -> str:
    if file is not None:
        return passphrase_in(file)
    if from_environment := os.environ.get(_VARIABLE):
        return from_environment
    if sys.stderr.isatty():
        import getpass

        return getpass.getpass(f"Passphrase of {where}: ")
    text = f"{where}: the private key is encrypted: give --passphrase-file FILE, or set {_VARIABLE}"
    raise KeyLoadError(text, reason="passphrase-missing", member="passphrase")


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror
    except ValueError:
        why = "give the path of a file"
    text = f"cannot read the {what} file {told(path)}: {why}"
    raise KeyLoadError(text, reason="file-unreadable", value=told(path))
